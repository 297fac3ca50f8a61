/**
 * Credentials made with credentials: which kind may make which, and which remain valid after the end of their origin. The rule is
 * in `src/identity/limited-credentials.ts` and, for users, in `docs/authentication.md`.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { createPasswordHasher } from '../src/identity/passwords/password-hash.ts'
import { endpoints } from '../src/api/endpoints.ts'
import { passwordOf } from './support/parts/identity-server.ts'
import { shareRegistry } from './support/parts/in-process.ts'
import { holds, makeChains, type Chains, type Made } from './support/scenes/credential-chains.ts'
import { askApi } from './support/http/api-client.ts'
import { tester } from './support/parts/tester.ts'

const registry = shareRegistry({
  auth: { anonymous: 'pull', refreshTokens: true },
  // Ended tokens count as failed logins, which are not delayed here.
  deps: {
    auth: {
      passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }),
      throttle: { sleep: () => Promise.resolve() },
    },
  },
})

beforeAll(async () => {
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
})

let count = 0
const nextChains = (): Promise<Chains> => makeChains(registry, `user-${(count += 1)}`)

/** The endpoints by what they give; a new endpoint needs a decision. */
const giving = {
  access: [
    'createUser',
    'changeUser',
    'changeMyPassword',
    'createMyToken',
    'createRobot',
    'changeRobot',
    'createRobotToken',
    'addMember',
    'createTeam',
    'addTeamMember',
    'createRole',
    'createGrant',
  ],
  rotation: ['rotateMyToken', 'rotateRobotToken'],
  // They remove something, change something that exists, or need a password themselves.
  nothing: [
    'renameUser',
    'deleteUser',
    'endMySession',
    'revokeMyToken',
    'deleteRobot',
    'revokeRobotToken',
    'removeMember',
    'deleteTeam',
    'removeTeamMember',
    'deleteRole',
    'deleteGrant',
    'createOrganization',
    'changeOwner',
    'renameOrganization',
    'deleteOrganization',
    'changeRepository',
    'deleteRepository',
    'login',
    'logout',
    'register',
  ],
}

test('C5: each change of the API declares whether it gives access', () => {
  const changes = endpoints.filter(({ method }) => method !== 'GET')
  const declared = Object.groupBy(changes, ({ gives }) => gives ?? 'nothing')
  for (const kind of ['access', 'rotation', 'nothing'] as const) {
    expect((declared[kind] ?? []).map(({ id }) => id).toSorted()).toEqual(giving[kind].toSorted())
  }
})

/** The requests that make something; `user` is the maker's account and `org` an organization that it owns. */
const makings = {
  'an access token': ({ asking }) => asking('POST', '/me/tokens', { name: 'made' }),
  'an access token for a robot': ({ asking, org }) =>
    asking('POST', `/owners/${org}/robots/ci/tokens`, { name: 'made' }),
  'a robot': ({ asking, org, unique }) => asking('POST', `/owners/${org}/robots`, { name: unique() }),
  'a grant': ({ asking, org }) =>
    asking('POST', `/owners/${org}/grants`, { role: 'owner', to: `${org}+ci`, repositories: '**' }),
  'a member': ({ asking, org }) => asking('PUT', `/owners/${org}/members/root`, { role: 'owner' }),
  'a team': ({ asking, org, unique }) => asking('POST', `/owners/${org}/teams`, { name: unique() }),
  'an enabled robot': ({ asking, org }) => asking('PATCH', `/owners/${org}/robots/ci`, { disabled: false }),
  'a user': ({ asking, unique }) =>
    asking('POST', '/users', { name: unique(), password: passwordOf('made'), isAdmin: true }),
  'another secret of another token': ({ asking, otherToken }) =>
    asking('POST', `/me/tokens/${otherToken}/rotate`, {}),
  // Last, because it ends the session and the tokens obtained with the old password.
  'a password': ({ asking, user }) =>
    asking('PUT', '/me/password', { oldPassword: passwordOf(user), password: passwordOf(user) }),
} satisfies Record<string, (maker: ReturnType<Chains['as']>) => Promise<number>>

type Making = keyof typeof makings
const all = Object.keys(makings) as Making[]

/** Unrestricted credentials of an administrator, so that only their kind can be the reason for a refusal. */
const makers: readonly (readonly [Made | 'password', 'makes' | 401 | 403])[] = [
  ['password', 'makes'],
  ['session', 'makes'],
  ['access token', 403],
  ['access token that rotated itself', 403],
  ['bearer of the password', 401],
  ['bearer of the access token', 401],
  ['bearer of the refresh token', 401],
  ["token of an organization's robot", 403],
]

describe('C5: credentials made with a credential', () => {
  test.each(makers)('by %s: %s', async (kind, expected) => {
    const chains = await nextChains()
    await registry.app.auth.accounts.setAdministrator(chains.user, true, tester)
    const maker = (await makeChains(registry, chains.user)).as(kind)
    for (const making of all) {
      const status = await makings[making](maker)
      const outcome = status < 300 ? 'makes' : status
      expect([making, outcome]).toEqual([making, expected])
    }
  })

  test.each(['access token', 'token of its robot', "token of an organization's robot"] as const)(
    'by %s: only its own replacement, with the same limits and expiry',
    async (kind) => {
      const chains = await nextChains()
      const { id, secret } = chains.tokens[kind]
      const rotate = (token: number, bearer: string) =>
        askApi(registry.url, `/me/tokens/${token}/rotate`, {
          json: {},
          headers: { authorization: `Bearer ${bearer}` },
        })
      expect((await rotate(chains.tokens['access token that rotated itself'].id, secret)).status).toBe(403)
      const rotated = await rotate(id, secret)
      expect(rotated.status).toBe(201)
      const { token, secret: next } = rotated.value as {
        token: { id: number; expiresAt: string }
        secret: string
      }
      expect(Date.parse(token.expiresAt)).toBe(chains.expiresAt)
      expect(await holds(registry, { kind: 'token', secret })).toBe(false)
      expect(await holds(registry, { kind: 'token', secret: next })).toBe(true)
      registry.advance(chains.expiresAt - registry.clock.now())
      expect(await holds(registry, { kind: 'token', secret: next })).toBe(false)
    },
  )
})

const tokens: readonly Made[] = [
  'access token',
  'access token that rotated itself',
  'token of its robot',
  "token of an organization's robot",
]
const everything: readonly Made[] = [
  ...tokens,
  'session',
  'bearer of the password',
  'bearer of the access token',
  'refresh token',
  'bearer of the refresh token',
]
const without = (...gone: readonly Made[]): readonly Made[] => everything.filter((one) => !gone.includes(one))

/** The ways to end credentials, and those that remain valid afterwards. */
const ends: readonly (readonly [string, (chains: Chains) => Promise<unknown>, readonly Made[]])[] = [
  ['nothing ends', () => Promise.resolve(), everything],
  ['the user changes the password', (chains) => chains.changePassword({}), tokens],
  [
    'the user changes the password and revokes what was made with it',
    (chains) => chains.changePassword({ revokeTokens: true }),
    [],
  ],
  [
    'an administrator sets a password',
    ({ asRoot, user }) => asRoot('PATCH', `/users/${user}`, { password: 'the next password' }),
    tokens,
  ],
  [
    'an administrator sets a password and revokes what was made with the old one',
    ({ asRoot, user }) =>
      asRoot('PATCH', `/users/${user}`, { password: 'the next password', revokeTokens: true }),
    [],
  ],
  [
    'the user becomes an administrator',
    ({ auth, user }) => auth.accounts.setAdministrator(user, true, tester),
    tokens,
  ],
  [
    'the user is disabled',
    ({ asRoot, user }) => asRoot('PATCH', `/users/${user}`, { disabled: true }),
    ["token of an organization's robot"],
  ],
  [
    'the user is disabled and enabled',
    async ({ asRoot, user }) => {
      await asRoot('PATCH', `/users/${user}`, { disabled: true })
      await asRoot('PATCH', `/users/${user}`, { disabled: false })
    },
    tokens,
  ],
  [
    'the user is deleted',
    ({ asRoot, user }) => asRoot('DELETE', `/users/${user}`),
    ["token of an organization's robot"],
  ],
  [
    'the access token is revoked',
    ({ auth, tokens: made }) => auth.accessTokens.revoke(made['access token'].id, tester),
    without('access token', 'bearer of the access token'),
  ],
  [
    'the token that rotated itself is revoked',
    ({ auth, rotatedFrom }) => auth.accessTokens.revoke(rotatedFrom, tester),
    without('access token that rotated itself'),
  ],
  [
    'the refresh token is revoked',
    async ({ auth, user }) => {
      const account = await auth.accounts.find(user)
      for (const { id } of await auth.refreshTokens.list(account?.id ?? 0))
        await auth.refreshTokens.revoke(id, tester)
    },
    without('refresh token', 'bearer of the refresh token'),
  ],
  [
    'the session is ended',
    async ({ auth, user }) => {
      const account = await auth.accounts.find(user)
      for (const { id } of await auth.sessions.list(account?.id ?? 0)) await auth.sessions.end(id, tester)
    },
    without('session'),
  ],
  [
    'its robot is deleted',
    ({ auth, user }) => auth.robots.delete(`${user}+ci`, tester),
    without('token of its robot'),
  ],
]

describe('C2: valid credentials after', () => {
  test.each(ends)('%s', async (_, end, expected) => {
    const chains = await nextChains()
    const before = await chains.holding()
    expect(before).toEqual(everything.toSorted())
    await end(chains)
    expect(await chains.holding()).toEqual(expected.toSorted())
  })
})
