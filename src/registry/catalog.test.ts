import { beforeAll, afterAll, describe, expect, test } from 'vitest'
import { openRegistry } from '../../test/support/parts/open-registry.ts'
import type { OpenRegistry } from '../../test/support/parts/open-registry.ts'
import type { Principal } from '../identity/principal.ts'
import { createPolicy } from '../access/access-policy.ts'
import { noGrants } from '../access/grants/held-grants.ts'
import { parseRepositoryPattern } from '../access/patterns/repository-pattern.ts'
import { Loop } from '../lib/turns/turns.ts'
import { insertOrganization } from '../metadata/owners/owners.ts'
import { ensureRepository } from '../metadata/repositories/repositories.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { createCatalog } from './catalog.ts'
import type { CatalogPage } from './catalog.ts'

/** Several slices of the largest size. */
const hiddenCount = 3_500
const ownCount = 300
const policy = createPolicy({
  anonymous: 'pull',
  newRepositoryVisibility: 'private',
  findAccess: () => undefined,
  findOwner: () => undefined,
  grantsOf: () => noGrants,
})
const anonymous: Principal = { kind: 'anonymous', scopes: undefined }

/** The patterns almost match each name, so that a backtracking matcher would start again at each character. */
const hostile: Principal = {
  kind: 'user',
  accountId: 1,
  name: 'me',
  isAdmin: false,
  scopes: undefined,
  limits: {
    tokenId: 1,
    permissions: undefined,
    patterns: Array.from({ length: 100 }, (_, index) =>
      parseRepositoryPattern(`me/*${'a'.repeat(100 + index)}b`),
    ),
  },
}

let opened: OpenRegistry
beforeAll(async () => {
  opened = await openRegistry()
  await opened.metadata.transact(async (tx) => {
    await insertOrganization(tx, { name: 'hidden', visibility: 'private', now: 1 })
    const names = [
      'a/first',
      ...Array.from({ length: hiddenCount }, (_, index) => `hidden/secret-${index}`),
      'z/last',
    ]
    for (const name of names) {
      await ensureRepository(tx, { name: name as RepositoryName, visibility: 'public', now: 1 })
    }
    for (let index = 0; index < ownCount; index++) {
      const name = `me/${'a'.repeat(245)}${String(index).padStart(4, '0')}` as RepositoryName
      await ensureRepository(tx, { name, visibility: 'private', now: 1 })
    }
  })
})
afterAll(() => opened[Symbol.asyncDispose]())

/** A loop whose clock advances by one millisecond each time it is read. */
function createFastLoop(): Loop {
  let time = 0
  return new Loop({ now: () => time++ })
}

function open(maxTurns: number, loop = createFastLoop()) {
  const catalog = createCatalog({ metadata: opened.metadata, policy, maxTurns, loop })
  const list = (principal: Principal, last?: string, signal?: AbortSignal): Promise<CatalogPage> =>
    catalog.list({
      n: 100,
      last,
      signal,
      caller: { principal, push: { create: false, update: false } },
    })
  return { list, loop }
}

describe('a catalog page', () => {
  test('ends early where much is hidden, and its cursor shows nothing of that', async () => {
    const { list } = open(0)
    const pages = [await list(anonymous)]
    for (let next = pages[0]?.next; next !== undefined; next = pages.at(-1)?.next) {
      pages.push(await list(anonymous, next))
    }
    expect(pages.flatMap(({ repositories }) => repositories)).toEqual(['a/first', 'z/last'])
    expect(pages.length).toBeGreaterThan(2)
    for (const { next } of pages.slice(0, -1)) {
      expect(next).toMatch(/^~[\w-]+$/)
      expect(Buffer.from(next?.slice(1) ?? '', 'base64url').toString('latin1')).not.toContain('hidden')
    }
  })

  test('makes progress with each page, even with few turns', async () => {
    const { list } = open(0)
    const cursors: (string | undefined)[] = []
    do cursors.push((await list(hostile, cursors.at(-1))).next)
    while (cursors.at(-1) !== undefined && cursors.length <= ownCount)
    expect(cursors.at(-1)).toBeUndefined()
    expect(cursors.length).toBeGreaterThan(ownCount / 5)
  })

  test('gives others their turns while 100 patterns are compared with many names', async () => {
    const { list, loop } = open(10_000)
    let probes = 0
    let isDone = false
    const probe = (): void => {
      probes += 1
      if (!isDone) setImmediate(probe)
    }
    setImmediate(probe)
    const { repositories, next } = await list(hostile)
    isDone = true
    expect({ repositories, next }).toEqual({ repositories: [], next: undefined })
    // Each name is one unit of work, and a turn does at most four.
    expect(loop.turns).toBeGreaterThan(ownCount / 5)
    expect(probes).toBeGreaterThanOrEqual(loop.turns)
  })

  test('stops reading when the client leaves', async () => {
    const { list, loop } = open(10_000)
    const controller = new AbortController()
    const reason = new Error('the client is gone')
    const listing = list(hostile, undefined, controller.signal).catch((error: unknown) => error)
    while (loop.turns < 3) await new Promise((resolve) => setImmediate(resolve))
    controller.abort(reason)
    expect(await listing).toBe(reason)
    expect(loop.turns).toBeLessThan(10)
  })
})
