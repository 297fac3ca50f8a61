/** Defines the endpoints of access tokens, for the tokens of the caller and the tokens of robots. */
import type { Access, EndpointRequest, ProblemStatus } from '../endpoint.ts'
import { defineEndpoint } from '../endpoint.ts'
import { notFound } from '../errors/api-error.ts'
import { pageOf, pageQuery } from '../input/pages.ts'
import { rowId } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import type { z } from '../zod.ts'
import {
  createdReply,
  createdToken,
  formatToken,
  getTokenOf,
  listTokens,
  newToken,
  rotation,
  token,
  toTokenRequest,
} from './access-token-shapes.ts'

type TokenParams = z.ZodObject<{ token: typeof rowId }>

interface TokenHolder<
  Name extends string,
  Path extends string,
  P extends z.ZodObject,
  T extends TokenParams,
> {
  /** The end of each id: `MyToken` gives `listMyTokens`, `createMyToken`. */
  readonly name: Name
  /** The path of the list, below `/api/v1`. */
  readonly path: Path
  readonly tag: string
  /** The holder in the summaries, for example `a robot`. */
  readonly holder: string
  readonly access: Access
  readonly rotateAccess: Access
  /** Contains 404 if the account of the path may be missing. */
  readonly problems: readonly ProblemStatus[]
  readonly params: P
  /** `params` with the id of a token. */
  readonly tokenParams: T
  /** Returns the id of the account that has the tokens. Throws `NotVisibleError` (404). */
  readonly accountId: (
    request: Pick<EndpointRequest<z.output<P>, unknown, unknown>, 'principal' | 'params'>,
    services: ApiServices,
  ) => number | Promise<number>
  /** Returns the path of the list with its parameters filled in. */
  readonly location: (params: z.output<P>) => string
}

export function defineTokenEndpoints<
  Name extends string,
  Path extends string,
  P extends z.ZodObject,
  T extends TokenParams,
>(holder: TokenHolder<Name, Path, P, T>) {
  return [...defineList(holder), ...defineOne(holder), defineRotation(holder)] as const
}

function defineList<Name extends string, Path extends string, P extends z.ZodObject, T extends TokenParams>({
  name,
  path,
  holder,
  accountId,
  location,
  ...common
}: TokenHolder<Name, Path, P, T>) {
  const { tag, access, params, problems } = common
  return [
    defineEndpoint({
      id: `list${name}s`,
      method: 'GET',
      path,
      tag,
      summary: `Lists the access tokens of ${holder}, oldest first, including tokens that expired or were revoked in the last 90 days.`,
      access,
      status: 200,
      problems,
      params,
      query: pageQuery.extend({ after: rowId.optional() }),
      result: pageOf(token),
      handler: async (request, services) => {
        const { limit, after } = request.query
        const page = { limit, after: after?.toString() }
        return listTokens(await accountId(request, services), page, services)
      },
    }),
    defineEndpoint({
      id: `create${name}`,
      method: 'POST',
      path,
      tag,
      summary: `Creates an access token for ${holder}. Requires a password or a session.`,
      access,
      gives: 'access',
      status: 201,
      problems: [...problems, 409],
      params,
      body: newToken,
      result: createdToken,
      handler: async (request, services) => {
        const id = await accountId(request, services)
        const created = await services.accessTokens.create(id, toTokenRequest(request.body), request.actor)
        return createdReply(created, location(request.params))
      },
    }),
  ] as const
}

function defineOne<Name extends string, Path extends string, P extends z.ZodObject, T extends TokenParams>(
  holder: TokenHolder<Name, Path, P, T>,
) {
  const { name, path, tokenParams: params, tag, access } = holder
  const row = { path: `${path}/{token}`, tag, access, params, problems: [404] } as const
  const find = findIn(holder)
  return [
    defineEndpoint({
      ...row,
      id: `get${name}`,
      method: 'GET',
      summary: `Returns an access token of ${holder.holder}.`,
      status: 200,
      tagged: true,
      result: token,
      handler: async (request, services) => ({ value: formatToken(await find(request, services)) }),
    }),
    defineEndpoint({
      ...row,
      id: `revoke${name}`,
      method: 'DELETE',
      summary: 'Revokes an access token and the bearer tokens that were issued from it.',
      status: 204,
      current: async (request, services) => formatToken(await find(request, services)),
      handler: async (request, services) => {
        const { id } = await find(request, services)
        if (!(await services.accessTokens.revoke(id, request.actor))) throw notFound(`access token ${id}`)
        return {}
      },
    }),
  ] as const
}

function defineRotation<
  Name extends string,
  Path extends string,
  P extends z.ZodObject,
  T extends TokenParams,
>(holder: TokenHolder<Name, Path, P, T>) {
  const find = findIn(holder)
  return defineEndpoint({
    id: `rotate${holder.name}`,
    method: 'POST',
    path: `${holder.path}/{token}/rotate`,
    tag: holder.tag,
    summary: 'Replaces the secret of an access token. The old secret can stay valid for a while.',
    access: holder.rotateAccess,
    gives: 'rotation',
    status: 201,
    problems: [404, 409],
    params: holder.tokenParams,
    body: rotation,
    result: createdToken,
    handler: async (request, services) => {
      const { id } = await find(request, services)
      const overlapMs = request.body.overlapSeconds * 1000
      const rotated = await services.accessTokens.rotate(id, { overlapMs }, request.actor)
      return createdReply(rotated, holder.location(withoutToken(request.params)))
    },
  })
}

/** Returns a function that finds the token of a request and throws `NotVisibleError` (404), also for that of another account. */
function findIn<Name extends string, Path extends string, P extends z.ZodObject, T extends TokenParams>({
  accountId,
}: TokenHolder<Name, Path, P, T>) {
  type Asked = Pick<EndpointRequest<z.output<T>, unknown, unknown>, 'principal' | 'params'>
  return async ({ principal, params }: Asked, services: ApiServices) => {
    const id = await accountId({ principal, params: withoutToken(params) }, services)
    return getTokenOf(id, params.token, services)
  }
}

/** A token's parameters are those of its list plus its id, but the compiler cannot infer that for a generic type. */
function withoutToken<P extends z.ZodObject, T extends TokenParams>(params: z.output<T>): z.output<P> {
  return params as unknown as z.output<P>
}
