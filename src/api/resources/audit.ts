/** The audit: searched in pages, newest first, or exported as a whole, oldest first. No endpoint changes it. */
import { z } from '../zod.ts'
import { auditActionNames, auditOutcomeNames } from '../../audit/audit-words.ts'
import type { Audit } from '../../audit/audit.ts'
import { isInformed, knowsAccountEvents } from '../../access/audience.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery } from '../input/pages.ts'
import { formatTime, ownerName, text, time } from '../schemas.ts'

type AuditFilter = Parameters<Audit['export']>[0]
type AuditEvent = Awaited<ReturnType<Audit['search']>>[number]

const detail = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]),
)

const event = z
  .object({
    id: z.int(),
    at: time,
    action: z.enum(auditActionNames),
    outcome: z.enum(auditOutcomeNames),
    actor: z.object({
      id: z.string().meta({
        description:
          'The id of the actor, for example `user:1`, `robot:2`, `anonymous`, `operator` or `system`.',
      }),
      name: z.string(),
    }),
    credential: z
      .string()
      .optional()
      .meta({ description: 'The credential of the actor, for example `password` or `access-token:7`.' }),
    address: z.string().optional(),
    client: z.string().optional(),
    requestId: z.string().optional(),
    target: z.object({ kind: z.string(), name: z.string() }).optional(),
    detail: detail.optional(),
  })
  .openapi('AuditEvent')

const moment = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value))

const filters = {
  actor: text(255).min(1).optional().openapi({ description: 'The name of an account.' }),
  action: z.enum(auditActionNames).optional(),
  outcome: z.enum(auditOutcomeNames).optional(),
  since: moment.optional(),
  until: moment.optional(),
}

const target = text(255)
  .min(1)
  .optional()
  .openapi({ description: 'A name. With a slash at the end, everything below it: `acme/`.' })

const all = z.strictObject({ ...filters, target })
const ofOwner = z.strictObject(filters)
const paged = {
  limit: pageQuery.shape.limit,
  after: z
    .string()
    .regex(/^[1-9]\d{0,14}$/)
    .optional(),
}

async function* formatPages(pages: AsyncIterable<readonly AuditEvent[]>): AsyncGenerator<unknown[], void> {
  for await (const events of pages) yield events.map(formatEvent)
}

function formatEvent({ id, at, action, outcome, actor, target, detail }: AuditEvent): z.input<typeof event> {
  const { credential, address, client, requestId } = actor
  return {
    id,
    at: formatTime(at),
    action,
    outcome,
    actor: { id: actor.id, name: actor.name },
    credential,
    address,
    client,
    requestId,
    target,
    detail: detail && (JSON.parse(JSON.stringify(detail)) as z.input<typeof event>['detail']),
  }
}

interface Paged extends AuditFilter {
  readonly limit: number
  readonly after?: string | undefined
}

/** Reads one event more than the page holds, to learn whether another page follows. It can also follow a short page. */
async function readEvents({ limit, after, ...filter }: Paged, { audit, signal }: Reading) {
  const before = after === undefined ? undefined : Number(after)
  const { events, next } = await audit.searchPage({ filter, before, limit: limit + 1, signal })
  const items = events.slice(0, limit)
  const last = events.length > limit ? items.at(-1)?.id : next
  return {
    value: { items: items.map(formatEvent) },
    after: last === undefined ? undefined : String(last),
  }
}

interface Reading {
  readonly audit: Audit
  readonly signal: AbortSignal
}

const owned = z.strictObject({ owner: ownerName })

export const auditEndpoints = [
  defineEndpoint({
    id: 'searchAudit',
    method: 'GET',
    path: '/audit',
    tag: 'audit',
    summary:
      'Lists events, newest first. A page can have fewer events than `limit`; the Link header says whether more follow.',
    access: 'administrator',
    status: 200,
    query: all.extend(paged),
    result: pageOf(event),
    handler: ({ query, http: { signal } }, { audit }) => readEvents(query, { audit, signal }),
  }),
  defineEndpoint({
    id: 'exportAudit',
    method: 'GET',
    path: '/audit/export',
    tag: 'audit',
    summary: 'Exports all matching events, oldest first, one JSON object per line.',
    access: 'administrator',
    status: 200,
    lines: true,
    query: all,
    result: event,
    handler: ({ query, http: { signal } }, { audit }) =>
      Promise.resolve({ lines: formatPages(audit.export(query, signal)) }),
  }),
  defineEndpoint({
    id: 'searchOwnerAudit',
    method: 'GET',
    path: '/audit/owners/{owner}',
    tag: 'audit',
    summary:
      'Lists the events of an owner and its repositories, teams and robots, newest first. Events remain after the owner is deleted. Only administrators see events from before the owner got its name. Only the user and administrators see the events of a user account. A narrowed access token sees neither.',
    access: 'owner:administer',
    status: 200,
    params: owned,
    query: ofOwner.extend(paged),
    result: pageOf(event),
    handler: async ({ principal, params: { owner }, query, http: { signal } }, { audit, owners }) => {
      const withoutAccounts = !knowsAccountEvents(principal, owner)
      const filter = { ...query, target: `${owner}/`, withoutAccounts }
      if (isInformed(principal)) return readEvents(filter, { audit, signal })
      // Another owner may have had the name before.
      const from = await owners.namedAt(owner)
      if (from === undefined) return { value: { items: [] } }
      return readEvents({ ...filter, since: Math.max(from, query.since ?? 0) }, { audit, signal })
    },
  }),
]
