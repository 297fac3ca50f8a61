/**
 * Runs a request through a row: the gate, the input, the condition, the handler, the reply. All rows share these steps, so
 * handlers contain no checks and cannot forget one.
 */
import type { Audit } from '../audit/audit.ts'
import { actorOf } from '../identity/actor.ts'
import type { Actor } from '../identity/actor.ts'
import { decisionHoldsMs } from '../access/policy.ts'
import { header } from '../edge/admission-request.ts'
import { DeniedError } from '../edge/errors.ts'
import type { Target } from '../edge/need.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import type { ApiReply, ApiRequest } from './api-request.ts'
import { checkAccount } from './check-account.ts'
import { checkIfMatch, entityTag, isUnchanged } from './input/conditions.ts'
import { endpoints } from './endpoints.ts'
import type { Endpoint, EndpointReply, EndpointRequest } from './endpoint.ts'
import { apiPrefix } from './paths.ts'
import { readBody, readParams, readQuery } from './input/read-input.ts'
import type { ApiServices } from './services.ts'
import { createTurns } from './turns.ts'

/** The memory reserved per entry of a page: an audit event with a long name, a client and details is 2 KiB. */
const pageItemBytes = 2 * 1024

type AuditTarget = NonNullable<Parameters<Audit['record']>[1]['target']>

interface Asked {
  readonly http: ApiRequest
  readonly params: Readonly<Record<string, string>>
}

export type Runner = (endpoint: Endpoint, asked: Asked) => Promise<ApiReply>

/** Throws the refusals of the gate and of the services, and `ApiError`. */
export function createRunner(services: ApiServices): Runner {
  const turns = createTurns()
  return async (endpoint, asked) => {
    const request = await admit(endpoint, asked, services)
    const { http } = asked
    const { current } = endpoint
    if (current === undefined) {
      const reply = await endpoint.handler(request, services)
      if (reply.lines === undefined) return toReply(endpoint, reply, http)
      const lines = whileAllowed(reply.lines, request.decideAgain)
      return toReply(endpoint, { ...reply, lines }, http)
    }
    const ifMatch = header(http, 'if-match')
    // If two changes have the same entity tag, the second sees the result of the first. The key has the parsed parameters, so
    // that differently escaped paths share it.
    return turns.take(JSON.stringify([endpoint.path, request.params]), async () => {
      if (ifMatch !== undefined) {
        const now = format(readerOf(endpoint), await current(request, services))
        checkIfMatch(ifMatch, entityTag(now))
      }
      return toReply(endpoint, await endpoint.handler(request, services), http)
    })
  }
}

type Values = Readonly<Record<string, unknown>>

interface Admitted extends EndpointRequest<Values, Values, unknown> {
  readonly decideAgain: () => Promise<void>
}

/**
 * Admits, then parses, so that a refused caller learns as little as possible. A body may arrive long after its headers, and a
 * list may wait for memory. After such a wait the gate decides again, since the credential or the right may have been revoked.
 */
async function admit(
  endpoint: Endpoint,
  { http, params: given }: Asked,
  services: ApiServices,
): Promise<Admitted> {
  let params: Values = {}
  const target = (): Target => targetOf(endpoint, (params = readParams(endpoint, given)))
  const admission = await http.admit({ need: endpoint.access, gives: endpoint.gives, target })
  const { principal } = admission
  const actor = actorOf(principal, http.origin)
  try {
    if (!admission.isAdmitted) throw admission.refusal
    const query = readQuery(endpoint, http)
    const began = performance.now()
    if (typeof query['limit'] === 'number') await http.reserve(query['limit'] * pageItemBytes)
    const body = await readBody(endpoint, http)
    const hasWaited = endpoint.body !== undefined || performance.now() - began >= decisionHoldsMs
    if (hasWaited) await admission.decideAgain()
    const input = { principal, params, query, body }
    await checkAccount(endpoint, input, services)
    return { ...input, actor, http, decideAgain: () => admission.decideAgain() }
  } catch (error) {
    if (endpoint.method !== 'GET') auditRefusal(error, { actor, params: given }, services)
    throw error
  }
}

function targetOf({ access }: Endpoint, { owner, repository, token }: Values): Target {
  return {
    owner: typeof owner === 'string' ? owner : undefined,
    token: typeof token === 'number' ? token : undefined,
    repository: access.startsWith('repository:') ? parseRepositoryName(String(repository)) : undefined,
  }
}

/** Yields each group only if `check` passes after the group was read: a slow reader may take hours. */
async function* whileAllowed<T>(
  groups: AsyncIterable<T>,
  check: () => Promise<void>,
): AsyncGenerator<T, void> {
  for await (const group of groups) {
    await check()
    yield group
  }
}

/** Records a change that a known caller may not make (403). */
function auditRefusal(
  error: unknown,
  { actor, params }: { actor: Actor; params: Asked['params'] },
  { audit }: ApiServices,
): void {
  if (!(error instanceof DeniedError)) return
  const target = findTarget(params)
  audit.recordOnce(
    actor,
    { action: 'manage', outcome: 'denied', target },
    `${actor.id} ${target?.name ?? ''}`,
  )
}

function findTarget({ repository, owner, user }: Asked['params']): AuditTarget | undefined {
  if (repository !== undefined) return { kind: 'repository', name: repository }
  if (owner !== undefined) return { kind: 'owner', name: owner }
  return user === undefined ? undefined : { kind: 'user', name: user }
}

/** The row that reads the resource that this row changes. Entity tags are made from its shape. */
function readerOf({ path, id }: Endpoint): Endpoint {
  const reader = endpoints.find((row) => row.path === path && row.tagged === true)
  if (reader === undefined) throw new Error(`no row reads the resource that ${id} changes`)
  return reader
}

/** Omits fields that the schema does not name. Throws if the value does not match the schema, which is a bug. */
function format({ id, result }: Endpoint, value: unknown): string {
  if (result === undefined) throw new Error(`the row ${id} has no shape for its value`)
  return JSON.stringify(result.parse(value))
}

function toReply(endpoint: Endpoint, reply: EndpointReply<unknown>, http: ApiRequest): ApiReply {
  const headers: string[] = []
  if (reply.location !== undefined) headers.push('Location', `${apiPrefix}${reply.location}`)
  if (reply.after !== undefined) headers.push('Link', formatNext(http, reply.after))
  for (const cookie of reply.cookies ?? []) headers.push('Set-Cookie', cookie)
  const known = { endpoint: { id: endpoint.id, path: `${apiPrefix}${endpoint.path}` }, fault: undefined }
  if (reply.lines !== undefined) {
    const type = ['Content-Type', 'application/jsonl']
    return {
      ...known,
      status: endpoint.status,
      headers: [...type, ...headers],
      body: formatLines(reply.lines),
    }
  }
  if (endpoint.status === 204) return { ...known, status: 204, headers, body: undefined }
  const json = format(endpoint, reply.value)
  headers.push('Content-Type', 'application/json')
  if (endpoint.tagged === true) {
    const tag = entityTag(json)
    headers.push('ETag', tag)
    if (isUnchanged(header(http, 'if-none-match'), tag))
      return { ...known, status: 304, headers, body: undefined }
  }
  return { ...known, status: endpoint.status, headers, body: Buffer.from(json) }
}

/** Returns an absolute path without a host, which no proxy header can make wrong. */
function formatNext({ path, rawQuery }: ApiRequest, after: string): string {
  const query = new URLSearchParams(rawQuery)
  query.set('after', after)
  return `<${path}?${query.toString()}>; rel="next"`
}

async function* formatLines(groups: AsyncIterable<readonly unknown[]>): AsyncGenerator<Uint8Array, void> {
  for await (const values of groups) {
    if (values.length > 0) yield Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''))
  }
}
