/** A commit: from segments to one blob, in one step. */
import { describe, expect, test } from 'vitest'
import { BlobMissing, UploadMissing } from '../errors.ts'
import type { OpenStore } from './support.ts'
import { CollectingSink, aKey, collectBlob, putBlob, storedAs, writeSegment, entriesOf } from './support.ts'

export function describeCommit(openStore: OpenStore): void {
  describe('a commit', () => {
    test('makes the blob visible, not a moment before', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { text: 'content' })
      await expect(store.open(stored)).rejects.toThrow(BlobMissing)
      await store.commit(stored, { segments: [{ generation: 0, size: 7 }] })
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('ignores what a segment holds beyond its recorded size', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { text: 'content and garbage' })
      await store.commit(stored, { segments: [{ generation: 0, size: 7 }] })
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('joins segments in their order and shows every byte on the way', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'one two three')
      await writeSegment(store, stored.key, { generation: 0, text: 'one garbage' })
      await writeSegment(store, stored.key, { generation: 3, text: ' two' })
      await writeSegment(store, stored.key, { generation: 12, text: ' three' })
      const seen = new CollectingSink()
      const segments = [
        { generation: 0, size: 3 },
        { generation: 2, size: 0 },
        { generation: 3, size: 4 },
        { generation: 12, size: 6 },
      ]
      await store.commit(stored, { segments, onBytes: (bytes) => void seen.write(bytes) })
      expect(seen.bytes.toString()).toBe('one two three')
      expect(await collectBlob(store, stored)).toBe('one two three')
    })

    test('ends without a blob when the observer of the bytes refuses them, and can be repeated', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'onetwo')
      await writeSegment(store, stored.key, { generation: 0, text: 'one' })
      await writeSegment(store, stored.key, { generation: 1, text: 'two' })
      const segments = [0, 1].map((generation) => ({ generation, size: 3 }))
      const refuse = (): never => {
        throw new Error('not these bytes')
      }
      await expect(store.commit(stored, { segments, onBytes: refuse })).rejects.toThrow('not these bytes')
      await expect(store.open(stored)).rejects.toThrow(BlobMissing)
      await store.commit(stored, { segments })
      expect(await collectBlob(store, stored)).toBe('onetwo')
    })

    test('of no segments, or of an empty one, makes an empty blob', async () => {
      await using store = await openStore()
      for (const segments of [[], [{ generation: 0, size: 0 }]]) {
        const stored = storedAs(aKey(), '')
        await store.commit(stored, { segments })
        expect(await collectBlob(store, stored)).toBe('')
      }
    })

    test('throws when a segment is gone or too short', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      const one = [{ generation: 0, size: 7 }]
      await expect(store.commit(stored, { segments: one })).rejects.toThrow(UploadMissing)
      await writeSegment(store, stored.key, { text: 'cont' })
      await expect(store.commit(stored, { segments: one })).rejects.toThrow(UploadMissing)
      const two = [
        { generation: 0, size: 4 },
        { generation: 1, size: 3 },
      ]
      await expect(store.commit(stored, { segments: two })).rejects.toThrow(UploadMissing)
      await expect(store.open(stored)).rejects.toThrow(BlobMissing)
    })

    test('does nothing when it is repeated', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      await store.commit(stored, { segments: [{ generation: 0, size: 7 }] })
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('leaves no segment of the key behind', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'taken over')
      await writeSegment(store, stored.key, { generation: 0, text: 'never recorded' })
      await writeSegment(store, stored.key, { generation: 1, text: 'taken over' })
      await store.commit(stored, { segments: [{ generation: 1, size: 10 }] })
      expect((await entriesOf(store)).map(({ digest }) => digest)).toEqual([stored.digest])
    })

    test('met by another of the same key succeeds in both', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { text: 'content' })
      const options = { segments: [{ generation: 0, size: 7 }] }
      await Promise.all([store.commit(stored, options), store.commit(stored, options)])
      expect(await collectBlob(store, stored)).toBe('content')
    })
  })
}
