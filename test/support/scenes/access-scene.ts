/**
 * @module One registry with everything that the access matrix needs: three organizations by visibility, each with three
 * repositories by visibility, and principals with different rights and credentials.
 */
import { createPasswordHasher } from '../../../src/identity/passwords/password-hash.ts'
import { renameOwner } from '../../../src/metadata/owners/owner-rename.ts'
import { insertOrganization } from '../../../src/metadata/owners/owners.ts'
import { parseRepositoryPattern } from '../../../src/access/patterns/repository-pattern.ts'
import { parseRepositoryName } from '../../../src/oci/repository-name.ts'
import { setRepositoryVisibility } from '../../../src/metadata/repositories/repositories.ts'
import { basic, passwordOf } from '../parts/identity-server.ts'
import { startInProcess } from '../parts/in-process.ts'
import type { InProcessRegistry } from '../parts/in-process.ts'
import { anImageManifest, pushBlob, pushImage, pushManifest } from '../content/manifests.ts'
import type { TestManifest } from '../content/manifests.ts'
import { aRandomBlob } from '../content/random.ts'
import { tester } from '../parts/tester.ts'

export const visibilities = ['public', 'internal', 'private'] as const

/** The repositories, owner by owner, the most visible first. */
export const repositories = visibilities.flatMap((owner) =>
  visibilities.map((visibility) => `${owner}-owner/${visibility}`),
)

/** The users, each with the role granted to it on each of the owners. */
const roles = { reader: 'reader', writer: 'writer', maintainer: 'maintainer', chief: 'owner' } as const

export const principals = [
  'anonymous',
  'stranger',
  ...(['reader', 'writer', 'maintainer', 'chief'] as const),
  'creator',
  'robot',
  'expired token',
  'narrowed token',
  'disabled user',
  'robot of disabled user',
  'administrator',
] as const

export type PrincipalName = (typeof principals)[number]

export interface Subject {
  /** The name of the account, or `anonymous`. */
  readonly principal: string
  /** The id of the access token, if the principal uses one. */
  readonly token?: number | undefined
}

export interface AccessScene extends AsyncDisposable {
  readonly registry: InProcessRegistry
  readonly image: TestManifest
  /** The manifest to which attempts move a tag. */
  readonly other: TestManifest
  /** For each repository, the digest of a blob that no other repository has. */
  readonly blobs: ReadonlyMap<string, string>
  /** Returns the `Authorization` header of the principal. Each owner has its own robot. */
  credential(principal: PrincipalName, owner: string): string | undefined
  /** Returns the principal in the form that explanations take. */
  subject(principal: PrincipalName, owner: string): Subject
}

/** The target of mounts: everyone but anonymous may push to it. */
export const mountTarget = 'scratch/target'

const cheapPasswords = createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } })

export async function openAccessScene(): Promise<AccessScene> {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(
    await startInProcess({
      auth: { anonymous: 'pull' },
      // Failed logins are not delayed here.
      deps: { auth: { passwords: cheapPasswords, throttle: { sleep: () => Promise.resolve() } } },
    }),
  )
  await addPeople(registry)
  const [image, other] = [anImageManifest({ layers: 1 }), anImageManifest({ layers: 1 })]
  const blobs = await addRepositories(registry, { image, other })
  await renameOwners(registry)
  const secrets = await addCredentials(registry)
  await registry.app.auth.accounts.disable('disabled', tester)
  const resources = stack.move()
  return {
    registry,
    image,
    other,
    blobs,
    credential: (principal, owner) => findCredential(principal, owner, secrets),
    subject: (principal, owner) => findSubject(principal, owner, secrets),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function findCredential(principal: PrincipalName, owner: string, secrets: Secrets): string | undefined {
  if (principal === 'anonymous') return undefined
  if (principal === 'disabled user') return basic('disabled')
  if (principal === 'administrator') return basic('root')
  if (principal === 'robot') return basic(`${owner}+ci`, secrets.get(owner)?.secret)
  const token = secrets.get(principal)
  return token === undefined ? basic(principal) : basic(token.account, token.secret)
}

/** Access tokens: those of robots by the name of the owner, the others by the name of the principal. */
type Secrets = ReadonlyMap<string, { readonly id: number; readonly account: string; readonly secret: string }>

function findSubject(principal: PrincipalName, owner: string, secrets: Secrets): Subject {
  if (principal === 'disabled user') return { principal: 'disabled' }
  if (principal === 'administrator') return { principal: 'root' }
  if (principal === 'robot') return { principal: `${owner}+ci`, token: secrets.get(owner)?.id }
  const token = secrets.get(principal)
  return token === undefined ? { principal } : { principal: token.account, token: token.id }
}

async function addPeople({ app }: InProcessRegistry): Promise<void> {
  const { accounts, roles: allRoles, robots, grants } = app.auth
  const add = (name: string, isAdmin = false) =>
    accounts.add({ name, password: passwordOf(name), isAdmin }, tester)
  await add('root', true)
  await allRoles.add({ name: 'creator', actions: ['pull', 'push:create'] }, tester)
  const users = ['stranger', ...Object.keys(roles), 'creator', 'disabled']
  for (const name of users) await add(name)
  const owners = visibilities.map((visibility) => ({ name: formerName(visibility), visibility }))
  for (const owner of [...owners, { name: 'scratch', visibility: 'private' as const }]) {
    await app.metadata.transact((tx) => insertOrganization(tx, { ...owner, now: Date.now() }))
    await robots.create(`${owner.name}+ci`, tester)
  }
  for (const { name: owner } of owners) {
    const granted = { ...roles, creator: 'creator', disabled: 'owner', [`${owner}+ci`]: 'writer' }
    for (const [to, role] of Object.entries(granted))
      await grants.add({ owner, repositories: '**', role, to }, tester)
    await grants.add({ owner: 'scratch', repositories: '**', role: 'writer', to: `${owner}+ci` }, tester)
  }
  await robots.create('disabled+ci', tester)
  for (const { name: owner } of owners) {
    await grants.add({ owner, repositories: '**', role: 'writer', to: 'disabled+ci' }, tester)
  }
  for (const to of users)
    await grants.add({ owner: 'scratch', repositories: '**', role: 'writer', to }, tester)
}

/** Returns the name of the owner before its renaming. Its repositories can be pulled by that name, too. */
export function formerName(visibility: (typeof visibilities)[number]): string {
  return `${visibility}-former`
}

async function renameOwners({ app }: InProcessRegistry): Promise<void> {
  for (const visibility of visibilities) {
    const change = { name: formerName(visibility), newName: `${visibility}-owner`, now: Date.now() }
    await app.metadata.transact((tx) => renameOwner(tx, change))
  }
}

async function addRepositories(
  { app, url }: InProcessRegistry,
  { image, other }: Pick<AccessScene, 'image' | 'other'>,
): Promise<ReadonlyMap<string, string>> {
  const headers = { authorization: basic('root') }
  const own = new Map<string, string>()
  for (const repository of repositories) {
    const repositoryUrl = `${url}/v2/${repository.replace('-owner/', '-former/')}`
    await pushImage(repositoryUrl, other, { headers })
    await pushImage(repositoryUrl, image, { headers, reference: 'latest' })
    const blob = aRandomBlob()
    await pushBlob(repositoryUrl, blob, { headers })
    own.set(repository, blob.digest)
    const visibility = visibilities.find((one) => repository.endsWith(`/${one}`)) ?? 'private'
    const change = { name: parseRepositoryName(repository.replace('-owner/', '-former/')), visibility }
    await app.metadata.transact((tx) => setRepositoryVisibility(tx, change))
  }
  await pushBlob(`${url}/v2/${mountTarget}`, aRandomBlob(), { headers })
  return own
}

async function addCredentials(registry: InProcessRegistry): Promise<Secrets> {
  const { accounts, robots, accessTokens } = registry.app.auth
  const secrets = new Map<string, { id: number; account: string; secret: string }>()
  const chief = await accounts.find('chief')
  if (chief === undefined) throw new Error('chief not found')
  const make = async (key: string, { id, name }: { id: number; name: string }, limits: object = {}) => {
    const { token, secret } = await accessTokens.create(id, { name: key, ...limits }, tester)
    secrets.set(key, { id: token.id, account: name, secret })
  }
  const hour = 3_600_000
  await make('expired token', chief, { expiresAt: registry.clock.now() + hour })
  registry.advance(2 * hour)
  const patterns = [parseRepositoryPattern('*/public')]
  await make('narrowed token', chief, { actions: ['pull'], patterns })
  const owners = visibilities.map((visibility) => `${visibility}-owner`)
  for (const [owner, key] of [
    ...owners.map((name) => [name, name]),
    ['disabled', 'robot of disabled user'],
  ]) {
    const robot = await robots.find(`${owner}+ci`)
    if (robot === undefined || key === undefined) throw new Error('robot not found')
    await make(key, robot)
  }
  return secrets
}

/** Restores the tags that tests move and delete, as the administrator. */
export async function resetTags({ registry, image }: AccessScene, repository: string): Promise<void> {
  const headers = { authorization: basic('root') }
  for (const reference of ['latest', 'disposable']) {
    await pushManifest(`${registry.url}/v2/${repository}`, image, { headers, reference })
  }
}
