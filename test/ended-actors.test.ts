/**
 * Changes that were authorized before the actor's account was disabled, its password changed, or its session or access token
 * ended, and that reach the database afterwards: they give access to no one.
 */
import { beforeAll, expect, test } from 'vitest'
import { actorOf, type Actor } from '../src/identity/actor.ts'
import type { Auth } from '../src/auth.ts'
import { CredentialsError } from '../src/identity/errors.ts'
import { createAudit } from '../src/audit/audit.ts'
import { ensureRepository } from '../src/metadata/repositories/repositories.ts'
import { parseRepositoryName } from '../src/oci/repository-name.ts'
import { openOrganizations, type Organizations } from '../src/organizations/open-organizations.ts'
import { passwordOf } from './support/parts/identity-server.ts'
import { shareRegistry } from './support/parts/in-process.ts'
import { tester } from './support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })
const origin = { address: '192.0.2.1', client: undefined }
let count = 0

beforeAll(async () => {
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'bob', password: passwordOf('bob'), isAdmin: false }, tester)
})

interface Scene {
  readonly auth: Auth
  readonly packages: Organizations
  readonly user: string
  readonly org: string
  readonly accountId: number
  readonly tokenId: number
  readonly actor: Actor
  /** The secret of the token `tokenId`. */
  readonly secret: string
}

async function aScene(): Promise<Scene> {
  const { auth, metadata } = registry.app
  const { clock } = registry
  const audit = createAudit({ metadata, clock, onError: () => undefined })
  const packages = openOrganizations({ metadata, clock, audit })
  const user = `actor-${(count += 1)}`
  const org = `${user}-org`
  const password = passwordOf(user)
  await auth.accounts.add({ name: user, password, isAdmin: true }, tester)
  await packages.owners.createOrganization({ name: org, visibility: 'private' }, tester)
  await packages.teams.create({ organization: org, team: 'dev' }, tester)
  await packages.members.add({ organization: org, user: 'bob' }, tester)
  await auth.robots.create(`${org}+ci`, tester)
  await auth.robots.disable(`${org}+ci`, tester)
  await auth.accounts.add({ name: `${user}-off`, password, isAdmin: false }, tester)
  await auth.accounts.disable(`${user}-off`, tester)
  const repository = parseRepositoryName(`${org}/web`)
  await metadata.transact((tx) => ensureRepository(tx, { name: repository, visibility: 'private', now: 1 }))
  const account = await auth.accounts.find(user)
  if (account === undefined) throw new Error(`user ${user} not found`)
  const { token, secret } = await auth.accessTokens.create(account.id, { name: 'first' }, tester)
  const actor = actorOf(await auth.authenticator.login({ name: user, password }, origin), origin)
  return { auth, packages, user, org, accountId: account.id, tokenId: token.id, actor, secret }
}

/** Changes that give access, by the id of the endpoint. */
const gifts: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  createUser: ({ auth, user, actor }) =>
    auth.accounts.add({ name: `${user}-new`, password: passwordOf('new'), isAdmin: true }, actor),
  'changeUser, its password': ({ auth, user, actor }) =>
    auth.accounts.setPassword(`${user}-off`, passwordOf('new'), actor),
  'the command line, an administrator': ({ auth, user, actor }) =>
    auth.accounts.setAdministrator(`${user}-off`, true, actor),
  'changeUser, enabled': ({ auth, user, actor }) => auth.accounts.enable(`${user}-off`, actor),
  createMyToken: ({ auth, accountId, actor }) => auth.accessTokens.create(accountId, { name: 'new' }, actor),
  rotateMyToken: ({ auth, tokenId, actor }) => auth.accessTokens.rotate(tokenId, { overlapMs: 0 }, actor),
  createRobot: ({ auth, org, actor }) => auth.robots.create(`${org}+new`, actor),
  changeRobot: ({ auth, org, actor }) => auth.robots.enable(`${org}+ci`, actor),
  createRole: ({ auth, user, actor }) => auth.roles.add({ name: user, actions: ['pull'] }, actor),
  createGrant: ({ auth, org, actor }) =>
    auth.grants.add({ owner: org, repositories: '**', role: 'owner', to: 'bob' }, actor),
  addMember: ({ packages, org, user, actor }) =>
    packages.members.add({ organization: org, user: `${user}-off` }, actor),
  createTeam: ({ packages, org, actor }) => packages.teams.create({ organization: org, team: 'new' }, actor),
  addTeamMember: ({ packages, org, actor }) =>
    packages.teams.addMember({ organization: org, team: 'dev' }, 'bob', actor),
  'changeOwner, opened': ({ packages, org, actor }) => packages.owners.setVisibility(org, 'internal', actor),
  'changeRepository, opened': ({ packages, org, actor }) =>
    packages.repositories.setVisibility(parseRepositoryName(`${org}/web`), 'public', actor),
}
/** The changes that `credential-chains.test.ts` allows to an access token. */
const giftsByToken = ['rotateMyToken', 'changeOwner, opened', 'changeRepository, opened']

async function inSession(): Promise<Scene & { readonly sessionId: number }> {
  const scene = await aScene()
  const login = { name: scene.user, password: passwordOf(scene.user) }
  const { id, principal } = await scene.auth.sessions.login(login, origin)
  return { ...scene, sessionId: id, actor: actorOf(principal, origin) }
}

async function withToken(): Promise<Scene> {
  const scene = await aScene()
  const header = `Bearer ${scene.secret}`
  return { ...scene, actor: actorOf(await scene.auth.authenticator.authenticate(header, origin), origin) }
}

test.each(Object.keys(gifts))('C2: %s needs an actor with valid credentials', async (name) => {
  const give = gifts[name]
  const disabled = await aScene()
  await disabled.auth.accounts.disable(disabled.user, tester)
  await expect(give?.(disabled)).rejects.toBeInstanceOf(CredentialsError)
  const changed = await aScene()
  await changed.auth.accounts.setPassword(changed.user, passwordOf('next'), tester)
  await expect(give?.(changed)).rejects.toBeInstanceOf(CredentialsError)
  const holding = await aScene()
  await expect(give?.(holding)).resolves.not.toThrow()
})

test.each(Object.keys(gifts))('C2: %s needs an actor with an open session', async (name) => {
  const give = gifts[name]
  const ended = await inSession()
  // Another session of the same user does not replace the ended one.
  await ended.auth.sessions.login({ name: ended.user, password: passwordOf(ended.user) }, origin)
  expect(await ended.auth.sessions.end(ended.sessionId, tester)).toBe(true)
  await expect(give?.(ended)).rejects.toBeInstanceOf(CredentialsError)
  const open = await inSession()
  await expect(give?.(open)).resolves.not.toThrow()
})

test.each(giftsByToken)('C2: %s needs an actor with a valid access token', async (name) => {
  const give = gifts[name]
  const revoked = await withToken()
  expect(await revoked.auth.accessTokens.revoke(revoked.tokenId, tester)).toBe(true)
  await expect(give?.(revoked)).rejects.toBeInstanceOf(CredentialsError)
  const holding = await withToken()
  await expect(give?.(holding)).resolves.not.toThrow()
})

test('C2: changes that remove access do not need credentials that are still valid', async () => {
  const { auth, packages, user, org, sessionId, actor } = await inSession()
  await packages.owners.setVisibility(org, 'public', tester)
  await auth.accounts.setAdministrator(`${user}-off`, true, tester)
  await auth.sessions.end(sessionId, tester)
  await expect(packages.owners.setVisibility(org, 'private', actor)).resolves.toBe('public')
  await expect(auth.accounts.setAdministrator(`${user}-off`, false, actor)).resolves.not.toThrow()
  await expect(auth.robots.disable(`${org}+ci`, actor)).resolves.not.toThrow()
})

// Last, because it advances the clock for all tests.
test('C2: a session that expired in the meantime gives no access', async () => {
  const { packages, org, actor } = await inSession()
  registry.advance(366 * 24 * 3_600_000)
  const opened = packages.owners.setVisibility(org, 'public', actor)
  await expect(opened).rejects.toBeInstanceOf(CredentialsError)
})
