import { describe, expect, test } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import type { BlobStore, StoredBlob } from './blob-store.ts'
import { CachingBlobStore } from './caching-blob-store.ts'
import { describeBlobStoreContract } from './contract/blob-store-contract.ts'
import type { FaultPlan } from './contract/failing-blob-store.ts'
import { FailingBlobStore, failOn } from './contract/failing-blob-store.ts'
import { anAbsentBlob, collectBlob, putBlob, writeSegment } from './contract/support.ts'
import { BlobMissing, StoreUnavailable } from './errors.ts'
import { MemoryBlobStore } from './memory/memory-blob-store.ts'

function aMemoryStore(): BlobStore {
  return new MemoryBlobStore({ clock: systemClock, maxBytes: 64 * 1024 * 1024 })
}

describeBlobStoreContract('CachingBlobStore', async () => new CachingBlobStore(aMemoryStore()))

/** Counts the calls that reach the store behind the cache. */
function setUp(plan?: FaultPlan): { cache: CachingBlobStore; opens: () => number } {
  let opens = 0
  const counting: FaultPlan = (call) => {
    if (call.operation === 'open') opens++
    return plan?.(call)
  }
  return { cache: new CachingBlobStore(new FailingBlobStore(aMemoryStore(), counting)), opens: () => opens }
}

async function textOf(cache: BlobStore, stored: StoredBlob): Promise<string | undefined> {
  await using reader = await cache.open(stored)
  return reader.bytes && Buffer.from(reader.bytes).toString()
}

describe('CachingBlobStore', () => {
  test('reads a small blob once and keeps its bytes in memory', async () => {
    const { cache, opens } = setUp()
    const stored = await putBlob(cache, 'content')
    expect(await textOf(cache, stored)).toBe('content')
    expect(await textOf(cache, stored)).toBe('content')
    expect(opens()).toBe(1)
    expect(cache.cacheStats()).toMatchObject({ hits: 1, misses: 1, passed: 0, entries: 1 })
  })

  test('keeps blobs up to 64 KiB and passes larger ones on', async () => {
    const { cache, opens } = setUp()
    const kept = await putBlob(cache, Buffer.alloc(65_536))
    const passed = await putBlob(cache, Buffer.alloc(65_537))
    for (const stored of [kept, kept, passed, passed]) await collectBlob(cache, stored)
    expect(opens()).toBe(3)
    expect(await textOf(cache, passed)).toBeUndefined()
    expect(cache.cacheStats()).toMatchObject({ hits: 1, misses: 1, passed: 3, entries: 1 })
  })

  test('asks the store for the size, and drops kept bytes that another size contradicts', async () => {
    const memory = aMemoryStore()
    const cache = new CachingBlobStore(memory)
    const stored = await putBlob(memory, 'cont')
    expect(await textOf(cache, stored)).toBe('cont')
    await memory.delete(stored.key, stored.digest)
    expect(await cache.stat(stored)).toBeUndefined()
    await writeSegment(memory, stored.key, { text: 'content' })
    await memory.commit(stored, { generation: 0, segments: [{ generation: 0, size: 7 }] })
    expect(await cache.stat(stored)).toBe(7)
    expect(await textOf(cache, stored)).toBe('content')
  })

  describe('when it is full', () => {
    async function fill() {
      const cache = new CachingBlobStore(aMemoryStore(), { maxBytes: 3000, maxBlobBytes: 1000 })
      const [a, b, newcomer] = await Promise.all(
        [1, 2, 3].map((byte) => putBlob(cache, Buffer.alloc(1000, byte))),
      )
      if (a === undefined || b === undefined || newcomer === undefined) throw new Error('three blobs')
      const read = async (...blobs: readonly StoredBlob[]): Promise<string> => {
        for (const stored of blobs) await collectBlob(cache, stored)
        const { hits, misses } = cache.cacheStats()
        return `${hits} hits, ${misses} misses`
      }
      await read(a, b)
      return { cache, a, b, newcomer, read }
    }

    test('a rarely read blob evicts nothing', async () => {
      const { newcomer, a, b, read } = await fill()
      expect(await read(newcomer, newcomer, a, b)).toBe('2 hits, 4 misses')
    })

    test('a blob that is read more often replaces the one unused for longest', async () => {
      const { cache, newcomer, a, b, read } = await fill()
      expect(await read(newcomer, newcomer, newcomer, newcomer, b)).toBe('2 hits, 5 misses')
      expect(cache.cacheStats().entries).toBe(2)
      expect(cache.cacheStats().bytes).toBeLessThanOrEqual(3000)
      expect(await read(a)).toBe('2 hits, 6 misses')
    })

    test('blobs read in turn do not evict each other', async () => {
      const { newcomer, a, b, read } = await fill()
      for (let turn = 0; turn < 9; turn += 1) await read(a, b, newcomer)
      expect(await read()).toBe('18 hits, 11 misses')
    })
  })

  test('lets concurrent misses share one read', async () => {
    const gate = Promise.withResolvers<void>()
    const { cache, opens } = setUp((call) =>
      call.operation === 'open' ? { kind: 'wait', until: gate.promise } : undefined,
    )
    const stored = await putBlob(cache, 'content')
    const texts = Array.from({ length: 20 }, () => textOf(cache, stored))
    gate.resolve()
    expect(new Set(await Promise.all(texts))).toEqual(new Set(['content']))
    expect(opens()).toBe(1)
  })

  test('lets concurrent misses share a failure, and forgets it', async () => {
    const broken = new StoreUnavailable('broken', { retryable: true })
    const { cache, opens } = setUp(failOn('open', broken, 1))
    const stored = await putBlob(cache, 'content')
    const results = await Promise.allSettled([textOf(cache, stored), textOf(cache, stored)])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await textOf(cache, stored)).toBe('content')
    expect(opens()).toBe(2)
  })

  test('does not keep that a blob is missing', async () => {
    const { cache, opens } = setUp()
    const absent = anAbsentBlob()
    await expect(cache.open(absent)).rejects.toThrow(BlobMissing)
    await expect(cache.open(absent)).rejects.toThrow(BlobMissing)
    expect(opens()).toBe(2)
  })

  test('does not keep a blob that is deleted while it is read', async () => {
    const gate = Promise.withResolvers<void>()
    const { cache } = setUp((call) =>
      call.operation === 'copy' ? { kind: 'wait', until: gate.promise } : undefined,
    )
    const stored = await putBlob(cache, 'content')
    const reading = textOf(cache, stored)
    await cache.delete(stored.key, stored.digest)
    gate.resolve()
    expect(await reading).toBe('content')
    await expect(cache.open(stored)).rejects.toThrow(BlobMissing)
  })
})
