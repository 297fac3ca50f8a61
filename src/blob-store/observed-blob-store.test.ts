import { describe, expect, test } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { describeBlobStoreContract } from './contract/blob-store-contract.ts'
import type { FaultPlan } from './contract/failing-blob-store.ts'
import { FailingBlobStore, failOn } from './contract/failing-blob-store.ts'
import { anAbsentBlob, collectBlob, putBlob } from './contract/support.ts'
import { BlobMissing, StoreFull } from './errors.ts'
import { MemoryBlobStore } from './memory/memory-blob-store.ts'
import type { StoreObserver } from './observed-blob-store.ts'
import { ObservedBlobStore } from './observed-blob-store.ts'

function setUp(plan: FaultPlan = () => undefined): {
  store: ObservedBlobStore
  calls: string[]
  bytes: { read: number; written: number }
} {
  const calls: string[] = []
  const bytes = { read: 0, written: 0 }
  const observer: StoreObserver = {
    onCall: ({ operation, durationMs, error }) => {
      const outcome = error instanceof Error ? error.name : 'ok'
      calls.push(`${operation} ${outcome} ${durationMs}`)
    },
    onBytesRead: (count) => void (bytes.read += count),
    onBytesWritten: (count) => void (bytes.written += count),
  }
  let time = 0
  const memory = new MemoryBlobStore({ clock: systemClock, maxBytes: 64 * 1024 * 1024 })
  const store = new ObservedBlobStore(new FailingBlobStore(memory, plan), {
    observer,
    now: () => (time += 1),
  })
  return { store, calls, bytes }
}

describeBlobStoreContract('ObservedBlobStore', async () => setUp().store)

describe('ObservedBlobStore', () => {
  test('reports each call once with its duration, and bytes in both directions', async () => {
    const { store, calls, bytes } = setUp()
    const stored = await putBlob(store, 'content')
    await collectBlob(store, stored)
    await store.delete(stored.key, stored.digest)
    await store.ping()
    expect(calls).toEqual([
      'openSegment ok 1',
      'sync ok 1',
      'commit ok 1',
      'open ok 1',
      'copy ok 1',
      'delete ok 1',
      'ping ok 1',
    ])
    expect(bytes).toEqual({ read: 7, written: 7 })
  })

  test('reports the error of a call and passes it on', async () => {
    const { store, calls } = setUp(failOn('write', new StoreFull('full')))
    await expect(store.open(anAbsentBlob())).rejects.toThrow(BlobMissing)
    await expect(putBlob(store, 'content')).rejects.toThrow(StoreFull)
    expect(calls).toEqual(['open BlobMissing 1', 'openSegment ok 1', 'write StoreFull 0'])
  })

  test('reports a batch once, and each key of it that failed', async () => {
    const { store, calls } = setUp(failOn('delete', new StoreFull('full'), 2))
    const dead = [anAbsentBlob(), anAbsentBlob(), anAbsentBlob()]
    expect(await store.deleteAll(dead)).toMatchObject([{ key: dead[1]!.key }])
    expect(calls).toEqual(['delete ok 1', 'delete StoreFull 0'])
  })
})
