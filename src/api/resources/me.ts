/** The account of the caller: name, rights, access tokens and sessions. */
import { z } from '../zod.ts'
import { permissions } from '../../access/permissions.ts'
import type { Permission } from '../../access/permissions.ts'
import type { AccountPrincipal, Principal } from '../../identity/principal.ts'
import { judgeFormerName } from '../../access/former-names/judge-former-name.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { notFound } from '../errors/api-error.ts'
import { accountOf } from '../callers.ts'
import { defineEndpoint, nothing } from '../endpoint.ts'
import type { ApiServices } from '../services.ts'
import { formatTime, repositoryName, rowId, secret, time } from '../schemas.ts'
import { revokeTokens } from './access-token-shapes.ts'
import { defineTokenEndpoints } from './access-tokens.ts'

const identity = z
  .object({
    name: z.string(),
    kind: z.enum(['user', 'robot']),
    isAdmin: z.boolean(),
    credential: z.string().optional().meta({
      description: 'The credential of the request, for example `password`, `access-token:7` or `session:3`.',
    }),
    limits: z
      .object({ actions: z.array(z.string()).optional(), repositories: z.array(z.string()).optional() })
      .optional()
      .meta({ description: 'The limits of the access token.' }),
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

/** Decides as for a request of a client, also by a former name of the repository. */
async function isAllowed(
  principal: Principal,
  { permission, repository }: { readonly permission: Permission; readonly repository: RepositoryName },
  { policy, formerNames }: ApiServices,
): Promise<boolean> {
  const judge = (who: Principal, name: RepositoryName) => policy.decide(who, permission, name)
  const newName = await formerNames.resolve(repository)
  if (newName === undefined) return (await judge(principal, repository)).allowed
  const isServed = permission === 'pull'
  const answer = await judgeFormerName({ principal, isServed, judge }, { formerName: repository, newName })
  return answer !== 'renamed' && answer.allowed
}

const aboutMe = [
  defineEndpoint({
    id: 'whoAmI',
    method: 'GET',
    path: '/me',
    tag,
    summary: 'Returns the account of the caller and its credential.',
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
    summary: 'Lists what the caller may do in a repository, which need not exist.',
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
    'Changes the password of the caller. Ends all sessions, refresh tokens and bearer tokens, and with `revokeTokens` also access tokens.',
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
    summary: 'Lists the open sessions of the caller, oldest first.',
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

const myTokens = defineTokenEndpoints({
  name: 'MyToken',
  path: '/me/tokens',
  tag,
  holder: 'the caller',
  access: 'self',
  // Any access token may rotate itself, also the token of a robot.
  rotateAccess: 'user',
  problems: [],
  params: nothing,
  tokenParams: z.strictObject({ token: rowId }),
  accountId: ({ principal }) => accountOf(principal).accountId,
  location: () => '/me/tokens',
})

export const meEndpoints = [...aboutMe, myPassword, ...mySessions, ...myTokens]
