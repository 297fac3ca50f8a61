/** User accounts, for administrators. */
import { z } from '../zod.ts'
import type { Account } from '../../identity/accounts/accounts.ts'
import type { Actor } from '../../identity/actor.ts'
import type { Principal } from '../../identity/principal.ts'
import { conflict, notFound } from '../errors/api-error.ts'
import { defineEndpoint } from '../endpoint.ts'
import { pageOf, pageQuery, readPage } from '../input/pages.ts'
import { checkPurge, purge } from '../input/purge.ts'
import { formatTime, ownerName, secret, time } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import { revokeTokens } from './access-token-shapes.ts'

const user = z
  .object({
    name: ownerName,
    isAdmin: z.boolean(),
    disabled: z.boolean(),
    createdAt: time,
  })
  .openapi('User')

const params = z.strictObject({ user: ownerName })

function formatUser({ name, isAdmin, disabled, createdAt }: Account): z.input<typeof user> {
  return { name, isAdmin, disabled, createdAt: formatTime(createdAt) }
}

async function getUser(name: string, { accounts }: ApiServices): Promise<z.input<typeof user>> {
  const found = await accounts.find(name)
  if (found?.kind !== 'user') throw notFound(`user ${name}`)
  return formatUser(found)
}

async function revokeAllTokens(name: string, actor: Actor, services: ApiServices): Promise<void> {
  const { accounts, accessTokens } = services
  const found = await accounts.find(name)
  if (found === undefined) throw notFound(`user ${name}`)
  await accessTokens.revokeAll(found.id, actor)
}

/** Refuses changes with which administrators would lock themselves out, since they could not undo them. */
function checkOther(name: string, principal: Principal): void {
  if (principal.kind === 'anonymous' || principal.name !== name) return
  throw conflict('you cannot do this to your own account: ask another administrator, or use the command line')
}

export const userEndpoints = [
  defineEndpoint({
    id: 'listUsers',
    method: 'GET',
    path: '/users',
    tag: 'users',
    summary: 'Lists the users, sorted by name.',
    access: 'administrator',
    status: 200,
    query: pageQuery,
    result: pageOf(user),
    handler: async ({ query }, { accounts }) => {
      const page = await readPage(
        query,
        (asked) => accounts.list(asked),
        ({ name }) => name,
      )
      return { ...page, value: { items: page.value.items.map(formatUser) } }
    },
  }),
  defineEndpoint({
    id: 'createUser',
    method: 'POST',
    path: '/users',
    tag: 'users',
    summary: 'Creates a user, who owns all repositories below the name.',
    access: 'administrator',
    gives: 'access',
    status: 201,
    problems: [409],
    body: z.strictObject({
      name: ownerName,
      password: secret.min(8),
      isAdmin: z.boolean().default(false),
      adopt: z.boolean().default(false).meta({
        description:
          'Whether to create the user even if an organization has the name. The user then owns its repositories.',
      }),
    }),
    result: user,
    handler: async ({ body, actor }, services) => {
      await services.accounts.add(body, actor)
      return { value: await getUser(body.name, services), location: `/users/${body.name}` }
    },
  }),
  defineEndpoint({
    id: 'getUser',
    method: 'GET',
    path: '/users/{user}',
    tag: 'users',
    summary: 'Returns a user.',
    access: 'administrator',
    status: 200,
    problems: [404],
    tagged: true,
    params,
    result: user,
    handler: async ({ params }, services) => ({ value: await getUser(params.user, services) }),
  }),
  defineEndpoint({
    id: 'changeUser',
    method: 'PATCH',
    path: '/users/{user}',
    tag: 'users',
    summary:
      'Disables or enables a user, or sets the password. Ends the sessions, refresh tokens and bearer tokens of the user.',
    access: 'administrator',
    gives: 'access',
    status: 200,
    problems: [404, 409],
    params,
    body: z.strictObject({
      disabled: z.boolean().optional(),
      password: secret.min(8).optional(),
      revokeTokens,
    }),
    result: user,
    current: ({ params }, services) => getUser(params.user, services),
    handler: async ({ params: { user: name }, body, principal, actor }, services) => {
      const { accounts } = services
      // Otherwise a stolen session or token could make itself permanent. To change their own password, callers send the old one
      // to /me/password.
      if (body.disabled === true || body.password !== undefined) checkOther(name, principal)
      if (body.password !== undefined) await accounts.setPassword(name, body.password, actor)
      if (body.revokeTokens) await revokeAllTokens(name, actor, services)
      if (body.disabled !== undefined)
        await (body.disabled ? accounts.disable(name, actor) : accounts.enable(name, actor))
      return { value: await getUser(name, services) }
    },
  }),
  defineEndpoint({
    id: 'renameUser',
    method: 'POST',
    path: '/users/{user}/rename',
    tag: 'users',
    summary: 'Renames a user with all repositories, tokens and grants. The former name still serves pulls.',
    access: 'administrator',
    status: 200,
    problems: [404, 409],
    params,
    body: z.strictObject({ name: ownerName }),
    result: user,
    handler: async ({ params: { user: name }, body, actor }, services) => {
      await services.owners.rename({ kind: 'user', name, newName: body.name }, actor)
      return { value: await getUser(body.name, services) }
    },
  }),
  defineEndpoint({
    id: 'deleteUser',
    method: 'DELETE',
    path: '/users/{user}',
    tag: 'users',
    summary: 'Deletes a user, and with `purge` also the repositories of the user.',
    access: 'administrator',
    status: 204,
    problems: [404, 409],
    params,
    query: z.strictObject({ purge }),
    current: ({ params }, services) => getUser(params.user, services),
    handler: async ({ params: { user: name }, query, principal, actor }, services) => {
      checkOther(name, principal)
      checkPurge(query, services)
      await services.owners.delete(name, { kind: 'user', ...query }, actor)
      return {}
    },
  }),
]
