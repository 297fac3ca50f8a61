/** Tests what one principal may see of another's repositories, with the real policy. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyOf, openRegistry, type OpenRegistry } from '../../test/support/parts/open-registry.ts'
import { createPolicy, type AnonymousMode } from '../access/access-policy.ts'
import { anonymous, type Principal, type AccountPrincipal } from '../identity/principal.ts'
import { noGrants } from '../access/grants/held-grants.ts'
import { parseScopes } from '../access/scope.ts'
import { findRepository, setRepositoryVisibility } from '../metadata/repositories/repositories.ts'
import { digestBytes, type Digest } from '../oci/digest.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import type { Caller } from './caller.ts'

const alice = user(1, 'alice')
const bob = user(2, 'bob')
const root: Principal = { ...user(3, 'root'), isAdmin: true }

function user(accountId: number, name: string): AccountPrincipal {
  return { kind: 'user', accountId, name, isAdmin: false, scopes: undefined }
}

function by(principal: Principal, scopes?: string): Caller {
  const bounds = scopes === undefined ? undefined : parseScopes(scopes)
  return {
    principal: { ...principal, scopes: bounds },
    push: { create: true, update: true },
  }
}

function open(mode: AnonymousMode = 'pull'): Promise<OpenRegistry> {
  const nobody = () => undefined
  const policy = createPolicy({
    anonymous: mode,
    newRepositoryVisibility: 'private',
    findAccess: nobody,
    findOwner: nobody,
    grantsOf: () => noGrants,
  })
  return openRegistry({ policy })
}

const { signal } = new AbortController()

async function push(
  { registry, metadata }: OpenRegistry,
  name: string,
  options: { principal?: Principal; bytes?: Uint8Array; visibility?: 'public' | 'internal' } = {},
): Promise<Digest> {
  const { principal = alice, bytes = randomBytes(100), visibility } = options
  const [repository, digest] = [parseRepositoryName(name), digestBytes(bytes)]
  await registry.uploads.push({ repository, digest, caller: by(principal), body: bodyOf([bytes]), signal })
  if (visibility !== undefined) {
    await metadata.transact((tx) => setRepositoryVisibility(tx, { name: repository, visibility }))
  }
  return digest
}

function mount({ registry }: OpenRegistry, caller: Caller, request: { from?: string; digest: Digest }) {
  const { from, digest } = request
  return registry.blobs.mount({
    repository: parseRepositoryName('bob/target'),
    digest,
    ...(from !== undefined && { from: parseRepositoryName(from) }),
    caller,
  })
}

describe('a mount', () => {
  test('B1: mounts nothing from a repository that the caller may not pull from', async () => {
    await using opened = await open()
    const digest = await push(opened, 'alice/secret')
    for (const from of ['alice/secret', 'alice/absent', undefined]) {
      for (const caller of [by(anonymous), by(bob)]) {
        expect(await mount(opened, caller, { digest, ...(from !== undefined && { from }) })).toBe(false)
      }
    }
    expect(await findRepository(opened.metadata.reader, parseRepositoryName('bob/target'))).toBeUndefined()
  })

  test.each([
    ['alice/open', by(bob)],
    ['alice/open', by(bob, 'repository:alice/open:pull')],
    ['alice/staff', by(bob)],
    ['bob/own', by(bob)],
    ['alice/secret', by(root)],
    [undefined, by(bob)],
    [undefined, by(bob, 'repository:bob/target:pull,push')],
  ])('from %s finds blobs that the caller may pull', async (from, caller) => {
    await using opened = await open()
    const bytes = randomBytes(100)
    await push(opened, 'alice/open', { bytes, visibility: 'public' })
    await push(opened, 'alice/staff', { bytes, visibility: 'internal' })
    await push(opened, 'alice/secret', { bytes })
    await push(opened, 'bob/own', { bytes, principal: bob })
    const digest = digestBytes(bytes)
    expect(await mount(opened, caller, { digest, ...(from !== undefined && { from }) })).toBe(true)
    const events = await opened.audit.search({ filter: { target: 'bob/target' }, limit: 10 })
    const id = caller.principal.kind === 'user' && `user:${caller.principal.accountId}`
    expect(events).toMatchObject([{ action: 'blob.mount', actor: { id }, detail: { digest } }])
  })

  test.each(['', 'repository:bob/target:pull,push', 'repository:bob/own:push', 'repository:bob/own:'])(
    "B1: mounts nothing from a source that the token (%j) does not name, even the caller's own",
    async (scopes) => {
      await using opened = await open()
      const digest = await push(opened, 'bob/own', { principal: bob })
      expect(await mount(opened, by(bob, scopes), { digest, from: 'bob/own' })).toBe(false)
      expect(await mount(opened, by(root, scopes), { digest, from: 'bob/own' })).toBe(false)
    },
  )

  test('with none, anonymous mounts nothing; with pull, public blobs', async () => {
    for (const [mode, expected] of [
      ['none', false],
      ['pull', true],
    ] as const) {
      await using opened = await open(mode)
      const digest = await push(opened, 'alice/open', { visibility: 'public' })
      expect(await mount(opened, by(anonymous), { digest, from: 'alice/open' })).toBe(expected)
      expect(await mount(opened, by(anonymous), { digest })).toBe(expected)
    }
  })
})

describe('the catalog', () => {
  test('B6: lists the repositories that the caller may pull from', async () => {
    await using opened = await open()
    await push(opened, 'alice/open', { visibility: 'public' })
    await push(opened, 'alice/secret')
    await push(opened, 'alice/staff', { visibility: 'internal' })
    await push(opened, 'bob-2/secret', { principal: root })
    await push(opened, 'bob/open', { principal: bob, visibility: 'public' })
    await push(opened, 'bob/secret', { principal: bob })
    await push(opened, 'bob0/secret', { principal: root })
    const list = async (caller: Caller) =>
      (await opened.registry.catalog.list({ n: 100, caller })).repositories
    expect(await list(by(anonymous))).toEqual(['alice/open', 'bob/open'])
    expect(await list(by(bob))).toEqual(['alice/open', 'alice/staff', 'bob/open', 'bob/secret'])
    expect(await list(by(root))).toHaveLength(7)
    const page = await opened.registry.catalog.list({ n: 2, last: 'alice/open', caller: by(bob) })
    expect(page).toEqual({ repositories: ['alice/staff', 'bob/open'], next: 'bob/open' })
  })
})

describe('a new repository', () => {
  test.each([
    ['alice/app', alice, 'private'],
    ['alice/app', root, 'private'],
    ['alice/app', bob, 'public'],
    ['alice/app', anonymous, 'public'],
  ] as const)('%s made by %o is %s', async (name, principal, visibility) => {
    await using opened = await open('push')
    await push(opened, name, { principal })
    const created = await findRepository(opened.metadata.reader, parseRepositoryName(name))
    expect(created).toMatchObject({ visibility })
  })
})

describe('an upload session', () => {
  test('B3: belongs to the principal who started it, with any token, and to one repository', async () => {
    await using opened = await open()
    const { uploads } = opened.registry
    const repository = parseRepositoryName('bob/app')
    const { id } = await uploads.start({ repository, caller: by(bob) })
    const status = (caller: Caller, name = 'bob/app') =>
      uploads.status({ repository: parseRepositoryName(name), id, caller })
    expect(await status(by(bob, 'repository:bob/app:pull,push'))).toMatchObject({ id })
    for (const attempt of [
      status(by(alice)),
      status(by(root)),
      status(by(anonymous)),
      status(by(bob), 'bob/ap'),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
    }
  })
})
