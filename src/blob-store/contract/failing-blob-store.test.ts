import { describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { BlobMissing, StoreUnavailable } from '../errors.ts'
import { MemoryBlobStore } from '../memory/memory-blob-store.ts'
import type { Fault, FaultPlan } from './failing-blob-store.ts'
import { FailingBlobStore, failOn } from './failing-blob-store.ts'
import { collectBlob, putBlob, storedAs, aKey, writeSegment } from './support.ts'

const broken = new StoreUnavailable('broken', { retryable: true })

function aStore(plan: FaultPlan): FailingBlobStore {
  return new FailingBlobStore(new MemoryBlobStore({ clock: systemClock, maxBytes: 1_000_000 }), plan)
}

function only(operation: string, fault: Fault): FaultPlan {
  return (call) => (call.operation === operation ? fault : undefined)
}

describe('FailingBlobStore', () => {
  test('fails the calls that the plan names and passes the others', async () => {
    const store = aStore(failOn('sync', broken, 2))
    await putBlob(store, 'first')
    await expect(putBlob(store, 'second')).rejects.toBe(broken)
    await putBlob(store, 'third')
  })

  test('keeps the first error of a writer, as every driver does', async () => {
    const store = aStore(failOn('write', broken, 1))
    await using writer = await store.openSegment(aKey(), { generation: 0, offset: 0 })
    await expect(writer.write(Buffer.from('lost'))).rejects.toBe(broken)
    await expect(writer.write(Buffer.from('more'))).rejects.toBe(broken)
    await expect(writer.sync()).rejects.toBe(broken)
  })

  test('fails after the work when only the answer is lost', async () => {
    const store = aStore(only('commit', { kind: 'fail-after', error: broken }))
    const stored = storedAs(aKey(), 'content')
    await writeSegment(store, stored.key, { text: 'content' })
    await expect(
      store.commit(stored, { generation: 0, segments: [{ generation: 0, size: 7 }] }),
    ).rejects.toBe(broken)
    expect(await collectBlob(store, stored)).toBe('content')
  })

  test('starts a call only when it may', async () => {
    const gate = Promise.withResolvers<void>()
    const store = aStore(only('delete', { kind: 'wait', until: gate.promise }))
    const stored = await putBlob(store, 'content')
    const removal = store.delete(stored.key, stored.digest)
    expect(await collectBlob(store, stored)).toBe('content')
    gate.resolve()
    await removal
    await expect(store.open(stored)).rejects.toThrow(BlobMissing)
  })

  test('hangs until the signal of the call, or of the fault', async () => {
    const controller = new AbortController()
    const store = aStore(({ operation }) => {
      if (operation === 'copy') return { kind: 'hang' }
      return operation === 'ping' ? { kind: 'hang', signal: controller.signal } : undefined
    })
    await using reader = await store.open(await putBlob(store, 'content'))
    const copy = reader.copyTo({ write: async () => undefined }, { signal: controller.signal })
    const ping = store.ping()
    const settled = Promise.allSettled([copy, ping])
    controller.abort(broken)
    expect(await settled).toEqual([
      { status: 'rejected', reason: broken },
      { status: 'rejected', reason: broken },
    ])
  })
})
