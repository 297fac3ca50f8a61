/**
 * Changes that were decided on before the account of the actor was disabled, or its password changed, and that come to the
 * database after: they give nothing to anybody.
 */
import { beforeAll, expect, test } from 'vitest'
import { actorOf, type Actor } from '../src/auth/actor.ts'
import type { Auth } from '../src/auth/auth.ts'
import { CredentialsError } from '../src/auth/errors.ts'
import { createAudit } from '../src/audit/audit.ts'
import { openPackages, type Packages } from '../src/packages/open-packages.ts'
import { passwordOf } from './support/identity-server.ts'
import { shareRegistry } from './support/in-process.ts'
import { tester } from './support/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })
const origin = { address: '192.0.2.1', client: undefined }
let count = 0

beforeAll(async () => {
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'bob', password: passwordOf('bob'), isAdmin: false }, tester)
})

interface Scene {
  readonly auth: Auth
  readonly packages: Packages
  readonly user: string
  readonly org: string
  readonly accountId: number
  readonly tokenId: number
  readonly actor: Actor
}

async function aScene(): Promise<Scene> {
  const { auth, metadata } = registry.app
  const { clock } = registry
  const audit = createAudit({ metadata, clock, onError: () => undefined })
  const packages = openPackages({ metadata, clock, audit })
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
  const account = await auth.accounts.find(user)
  if (account === undefined) throw new Error(`there is no ${user}`)
  const { token } = await auth.accessTokens.create(account.id, { name: 'first' }, tester)
  const actor = actorOf(await auth.authenticator.login({ name: user, password }, origin), origin)
  return { auth, packages, user, org, accountId: account.id, tokenId: token.id, actor }
}

/** By the id of the endpoint. */
const gifts: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  createUser: ({ auth, user, actor }) =>
    auth.accounts.add({ name: `${user}-new`, password: passwordOf('new'), isAdmin: true }, actor),
  'changeUser, its password': ({ auth, user, actor }) =>
    auth.accounts.setPassword(`${user}-off`, passwordOf('new'), actor),
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
}

test.each(Object.keys(gifts))('C2: %s takes an actor whose credentials hold', async (name) => {
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
