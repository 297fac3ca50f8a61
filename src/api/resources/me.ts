/** The account of the caller: its name, its rights, its access tokens and sessions. */
import { z } from '../zod.ts'
import { permissions } from '../../access/permissions.ts'
import type { Permission } from '../../access/permissions.ts'
import type { AccountPrincipal, Principal } from '../../identity/principal.ts'
import { judgeOldName } from '../../access/former-names/old-names.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { notFound } from '../errors/api-error.ts'
import { accountOf } from '../callers.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery } from '../input/pages.ts'
import type { ApiServices } from '../services.ts'
import { formatTime, repositoryName, rowId, secret, time } from '../schemas.ts'
import {
  createdReply,
  createdToken,
  formatToken,
  getTokenOf,
  listTokens,
  newToken,
  revokeTokens,
  rotation,
  token,
  toTokenRequest,
} from './access-token-shapes.ts'

const identity = z
  .object({
    name: z.string(),
    kind: z.enum(['user', 'robot']),
    isAdmin: z.boolean(),
    credential: z.string().optional().meta({ description: '`password`, `access-token:7` or `session:3`.' }),
    limits: z
      .object({ actions: z.array(z.string()).optional(), repositories: z.array(z.string()).optional() })
      .optional()
      .meta({ description: 'What the access token leaves of the rights.' }),
  })
  .openapi('Identity')

const rights = z
  .object({ repository: z.string(), permissions: z.array(z.enum(permissions)) })
  .openapi('Rights')

const session = z
  .object({
    id: z.int(),
    createdAt: time,
    usedAt: time,
    expiresAt: time,
    address: z.string(),
    client: z.string().optional(),
    current: z.boolean(),
  })
  .openapi('Session')

const tokenParams = z.strictObject({ token: rowId })
const tag = 'me'

function describeCaller({
  name,
  kind,
  isAdmin,
  credential,
  limits,
}: AccountPrincipal): z.input<typeof identity> {
  return {
    name,
    kind,
    isAdmin,
    credential,
    limits: limits && {
      actions: limits.permissions && [...limits.permissions],
      repositories: limits.patterns && [...limits.patterns],
    },
  }
}

/** By the name that the repository has, or had: as requests of clients are decided. */
async function isAllowed(
  principal: Principal,
  { permission, repository }: { readonly permission: Permission; readonly repository: RepositoryName },
  { policy, aliases }: ApiServices,
): Promise<boolean> {
  const judge = (who: Principal, name: RepositoryName) => policy.decide(who, permission, name)
  const newName = await aliases.resolve(repository)
  if (newName === undefined) return (await judge(principal, repository)).allowed
  const isServed = permission === 'pull'
  const answer = await judgeOldName({ principal, isServed, judge }, { oldName: repository, newName })
  return answer !== 'renamed' && answer.allowed
}

const aboutMe = [
  defineEndpoint({
    id: 'whoAmI',
    method: 'GET',
    path: '/me',
    tag,
    summary: 'Who asks, and by what that was proven.',
    access: 'user',
    status: 200,
    tagged: true,
    result: identity,
    handler: ({ principal }) => Promise.resolve({ value: describeCaller(accountOf(principal)) }),
  }),
  defineEndpoint({
    id: 'listMyRights',
    method: 'GET',
    path: '/me/rights',
    tag,
    summary: 'What the caller may do in a repository, whether it exists or not.',
    access: 'user',
    status: 200,
    query: z.strictObject({ repository: repositoryName }),
    result: rights,
    handler: async ({ principal, query }, services) => {
      const repository = parseRepositoryName(query.repository)
      const ask = (permission: Permission) => isAllowed(principal, { permission, repository }, services)
      const allowed = await Promise.all(permissions.map(ask))
      const held = permissions.filter((_permission, index) => allowed[index])
      return { value: { repository, permissions: held } }
    },
  }),
]

const myPassword = defineEndpoint({
  id: 'changeMyPassword',
  method: 'PUT',
  path: '/me/password',
  tag,
  summary:
    'A new password; sessions, refresh and bearer tokens end, and with `revokeTokens` access tokens too.',
  access: 'self',
  gives: 'access',
  status: 204,
  problems: [409],
  body: z.strictObject({ oldPassword: secret, password: secret.min(8), revokeTokens }),
  handler: async ({ principal, actor, body, http }, { accounts, accessTokens }) => {
    const { accountId, name } = accountOf(principal)
    const { oldPassword, password } = body
    await accounts.changePassword({ name, oldPassword, password }, http.origin)
    if (body.revokeTokens) await accessTokens.revokeAll(accountId, actor)
    return {}
  },
})

const mySessions = [
  defineEndpoint({
    id: 'listMySessions',
    method: 'GET',
    path: '/me/sessions',
    tag,
    summary: 'Open sessions of the caller, oldest first.',
    access: 'self',
    status: 200,
    result: z.object({ items: z.array(session) }),
    handler: async ({ principal }, { sessions }) => {
      const { accountId, credential } = accountOf(principal)
      const found = await sessions.list(accountId)
      const items = found.map(({ id, createdAt, usedAt, expiresAt, address, client }) => ({
        id,
        createdAt: formatTime(createdAt),
        usedAt: formatTime(usedAt),
        expiresAt: formatTime(expiresAt),
        address,
        client,
        current: credential === `session:${id}`,
      }))
      return { value: { items } }
    },
  }),
  defineEndpoint({
    id: 'endMySession',
    method: 'DELETE',
    path: '/me/sessions/{session}',
    tag,
    summary: 'Ends a session of the caller.',
    access: 'self',
    status: 204,
    problems: [404],
    params: z.strictObject({ session: rowId }),
    handler: async ({ principal, actor, params }, { sessions }) => {
      const ended = await sessions.end(params.session, actor, accountOf(principal).accountId)
      if (!ended) throw notFound(`session ${params.session}`)
      return {}
    },
  }),
]

const myTokens = [
  defineEndpoint({
    id: 'listMyTokens',
    method: 'GET',
    path: '/me/tokens',
    tag,
    summary: 'Access tokens of the caller, oldest first; those that ended stay for some time.',
    access: 'self',
    status: 200,
    query: pageQuery.extend({ after: rowId.optional() }),
    result: pageOf(token),
    handler: ({ principal, query: { limit, after } }, services) =>
      listTokens(accountOf(principal).accountId, { limit, after: after?.toString() }, services),
  }),
  defineEndpoint({
    id: 'createMyToken',
    method: 'POST',
    path: '/me/tokens',
    tag,
    summary: 'A new access token of the caller; it takes a password or a session to make one.',
    access: 'self',
    gives: 'access',
    status: 201,
    problems: [409],
    body: newToken,
    result: createdToken,
    handler: async ({ principal, actor, body }, { accessTokens }) => {
      const { accountId } = accountOf(principal)
      return createdReply(await accessTokens.create(accountId, toTokenRequest(body), actor), '/me/tokens')
    },
  }),
  defineEndpoint({
    id: 'getMyToken',
    method: 'GET',
    path: '/me/tokens/{token}',
    tag,
    summary: 'One access token of the caller.',
    access: 'self',
    status: 200,
    problems: [404],
    tagged: true,
    params: tokenParams,
    result: token,
    handler: async ({ principal, params }, services) => ({
      value: formatToken(await getTokenOf(accountOf(principal).accountId, params.token, services)),
    }),
  }),
  defineEndpoint({
    id: 'revokeMyToken',
    method: 'DELETE',
    path: '/me/tokens/{token}',
    tag,
    summary: 'Ends an access token, and the bearer tokens that were issued from it.',
    access: 'self',
    status: 204,
    problems: [404],
    params: tokenParams,
    current: async ({ principal, params }, services) =>
      formatToken(await getTokenOf(accountOf(principal).accountId, params.token, services)),
    handler: async ({ principal, actor, params }, services) => {
      await getTokenOf(accountOf(principal).accountId, params.token, services)
      if (!(await services.accessTokens.revoke(params.token, actor)))
        throw notFound(`access token ${params.token}`)
      return {}
    },
  }),
  defineEndpoint({
    id: 'rotateMyToken',
    method: 'POST',
    path: '/me/tokens/{token}/rotate',
    tag,
    summary:
      'A new secret for an access token, also for the one that is sent; the old one may stay valid for a while.',
    access: 'user',
    gives: 'rotation',
    status: 201,
    problems: [404, 409],
    params: tokenParams,
    body: rotation,
    result: createdToken,
    handler: async ({ principal, actor, params, body }, services) => {
      await getTokenOf(accountOf(principal).accountId, params.token, services)
      const overlapMs = body.overlapSeconds * 1000
      return createdReply(
        await services.accessTokens.rotate(params.token, { overlapMs }, actor),
        '/me/tokens',
      )
    },
  }),
]

export const meEndpoints = [...aboutMe, myPassword, ...mySessions, ...myTokens]
