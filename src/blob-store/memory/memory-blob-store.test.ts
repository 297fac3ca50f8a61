import { describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { describeBlobStoreContract } from '../contract/blob-store-contract.ts'
import { aKey, collectBlob, putBlob, storedAs, writeSegment } from '../contract/support.ts'
import { StoreFull, UploadMissing } from '../errors.ts'
import { MemoryBlobStore } from './memory-blob-store.ts'

describeBlobStoreContract(
  'MemoryBlobStore',
  async () => new MemoryBlobStore({ clock: systemClock, maxBytes: 64 * 1024 * 1024 }),
)

describe('MemoryBlobStore', () => {
  test('is full at its limit, keeps its content, and accepts more once bytes are deleted', async () => {
    await using store = new MemoryBlobStore({ clock: systemClock, maxBytes: 10 })
    const kept = await putBlob(store, 'sixsix')
    const key = aKey()
    await using writer = await store.openSegment(key, { generation: 0, offset: 0 })
    await writer.write(Buffer.from('four'))
    await expect(writer.write(Buffer.from('1'))).rejects.toThrow(StoreFull)
    await expect(writer.write(Buffer.from(''))).rejects.toThrow(StoreFull)
    await expect(writer.sync()).rejects.toThrow(StoreFull)
    expect(await collectBlob(store, kept)).toBe('sixsix')
    await store.commit(storedAs(key, 'four'), { generation: 0, segments: [{ generation: 0, size: 4 }] })
    await store.delete(kept.key, kept.digest)
    await putBlob(store, 'again6')
    await expect(putBlob(store, '1')).rejects.toThrow(StoreFull)
  })

  test('frees the bytes of removed and reopened segments exactly once', async () => {
    await using store = new MemoryBlobStore({ clock: systemClock, maxBytes: 10 })
    const key = aKey()
    await using first = await store.openSegment(key, { generation: 0, offset: 0 })
    await first.write(Buffer.from('12345'))
    await writeSegment(store, key, { offset: 2, text: '12345678' })
    await expect(first.write(Buffer.from('late'))).rejects.toThrow(UploadMissing)
    await store.delete(key, undefined)
    await store.delete(key, undefined)
    await putBlob(store, '1234567890')
  })

  test('returns the time of the last change', async () => {
    let now = 1000
    await using store = new MemoryBlobStore({ clock: { now: () => now }, maxBytes: 100 })
    await writeSegment(store, aKey(), { text: 'old' })
    now = 2000
    await putBlob(store, 'new')
    const entries = await Array.fromAsync(store.list())
    expect(entries.map(({ modifiedAt }) => modifiedAt)).toEqual([1000, 2000])
  })
})
