import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyOf, caller, openRegistry, type OpenRegistry } from '../../../test/support/parts/open-registry.ts'
import type { BlobStore } from '../../blob-store/blob-store.ts'
import { listDeadKeys } from '../../metadata/contract/list-dead-keys.ts'
import { digestBytes } from '../../oci/digest.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import { collectBlobs } from '../collect-blobs.ts'
import { removeDeadKeys } from '../remove-dead-keys.ts'
import { holdDeletions, holdTtlMs, type HoldDeps } from './deletion-hold.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()

function depsOf(open: OpenRegistry, options: Partial<HoldDeps> = {}): HoldDeps {
  const { metadata, clock } = open
  const sleep = async (ms: number): Promise<void> => clock.advance(ms)
  return { metadata, clock, holder: `here/1/${Math.random()}`, hasEnded: () => false, sleep, ...options }
}

async function makeDeadKeys(open: OpenRegistry, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const bytes = randomBytes(100)
    const digest = digestBytes(bytes)
    await open.registry.uploads.push({ repository, caller, digest, body: bodyOf([bytes]), signal })
    await open.registry.blobs.delete(repository, digest, caller)
  }
  open.clock.advance(2)
  expect(await collectBlobs(open, 1, signal)).toBe(count)
}

describe('while a backup runs', () => {
  test('no bytes are deleted, and afterwards they are', async () => {
    await using open = await openRegistry()
    await makeDeadKeys(open, 3)
    {
      await using _hold = await holdDeletions(depsOf(open))
      expect(await removeDeadKeys(open, signal)).toBe(0)
    }
    expect(await removeDeadKeys(open, signal)).toBe(3)
  })

  test('a deletion in progress finishes its batch, whose keys no later snapshot names, and starts no other', async () => {
    const deleted: string[] = []
    const onDelete = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const wrapStore = (store: BlobStore): BlobStore =>
      new Proxy(store, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target)
          if (name !== 'deleteAll')
            return typeof value === 'function' ? (value.bind(target) as unknown) : value
          return async (dead: Parameters<BlobStore['deleteAll']>[0]) => {
            onDelete.resolve()
            await goOn.promise
            deleted.push(...dead.map(({ key }) => key))
            return target.deleteAll(dead)
          }
        },
      })
    await using open = await openRegistry({ wrapStore })
    await makeDeadKeys(open, 2)
    const first = await listDeadKeys(open.metadata.reader, { limit: 10 })
    const removing = removeDeadKeys(open, signal)
    await onDelete.promise
    {
      await using _hold = await holdDeletions(depsOf(open))
      await makeDeadKeys(open, 2)
      goOn.resolve()
      await removing
      expect(deleted.toSorted()).toEqual(first.map(({ storageKey }) => storageKey).toSorted())
    }
    expect(await removeDeadKeys(open, signal)).toBe(2)
  })

  test('another backup is refused', async () => {
    await using open = await openRegistry()
    const held = await holdDeletions(depsOf(open))
    const sleep = async (): Promise<void> => {
      open.clock.advance(20_000)
      await held.confirm()
    }
    await expect(holdDeletions(depsOf(open, { sleep }))).rejects.toThrow(
      'another backup of this registry is running',
    )
    await held[Symbol.asyncDispose]()
    await using _next = await holdDeletions(depsOf(open))
  })
})

describe('a backup that was killed', () => {
  test('holds deletions for a minute at most', async () => {
    await using open = await openRegistry()
    await makeDeadKeys(open, 1)
    await holdDeletions(depsOf(open))
    open.clock.advance(holdTtlMs - 1)
    expect(await removeDeadKeys(open, signal)).toBe(0)
    open.clock.advance(1)
    expect(await removeDeadKeys(open, signal)).toBe(1)
  })

  test('lets the next one start at once if its process is known to have ended', async () => {
    await using open = await openRegistry()
    await holdDeletions(depsOf(open, { holder: 'here/7/killed' }))
    const sleep = () => Promise.reject(new Error('it waits'))
    const hasEnded = (holder: string): boolean => holder === 'here/7/killed'
    await using next = await holdDeletions(depsOf(open, { sleep, hasEnded }))
    await expect(next.confirm()).resolves.toBeUndefined()
  })

  test('lets the next one start after a minute elsewhere, also when its clock was ahead', async () => {
    await using open = await openRegistry()
    const ahead = { now: () => open.clock.now() + 1_000 * holdTtlMs }
    await holdDeletions(depsOf(open, { clock: ahead }))
    const before = open.clock.now()
    await using _next = await holdDeletions(depsOf(open))
    expect(open.clock.now() - before).toBeLessThanOrEqual(holdTtlMs + 1_000)
  })
})

test('a backup that was stopped for longer than it holds fails', async () => {
  await using open = await openRegistry()
  const held = await holdDeletions(depsOf(open))
  open.clock.advance(holdTtlMs - 1)
  await held.confirm()
  open.clock.advance(holdTtlMs + 1)
  await expect(held.confirm()).rejects.toThrow('run the backup again')
  await expect(held[Symbol.asyncDispose]()).resolves.toBeUndefined()
})
