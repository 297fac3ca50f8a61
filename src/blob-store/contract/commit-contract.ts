/** Tests of commits: segments become one blob, atomically. */
import { describe, expect, test } from 'vitest'
import { BlobMissing, UploadMissing } from '../errors.ts'
import type { OpenStore } from './support.ts'
import { CollectingSink, aKey, collectBlob, putBlob, storedAs, writeSegment, entriesOf } from './support.ts'

export function describeCommit(openStore: OpenStore): void {
  describe('a commit', () => {
    test('makes the blob visible, and not earlier', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { text: 'content' })
      await expect(store.open(stored)).rejects.toThrow(BlobMissing)
      await store.commit(stored, { generation: 0, segments: [{ generation: 0, size: 7 }] })
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('ignores bytes of a segment beyond its recorded size', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { text: 'content and garbage' })
      await store.commit(stored, { generation: 0, segments: [{ generation: 0, size: 7 }] })
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
      await store.commit(stored, { generation: 12, segments, onBytes: (bytes) => void seen.write(bytes) })
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
      await expect(store.commit(stored, { generation: 1, segments, onBytes: refuse })).rejects.toThrow(
        'not these bytes',
      )
      await expect(store.open(stored)).rejects.toThrow(BlobMissing)
      await store.commit(stored, { generation: 1, segments })
      expect(await collectBlob(store, stored)).toBe('onetwo')
    })

    test('of no segments, or of an empty one, makes an empty blob', async () => {
      await using store = await openStore()
      for (const segments of [[], [{ generation: 0, size: 0 }]]) {
        const stored = storedAs(aKey(), '')
        await store.commit(stored, { generation: 0, segments })
        expect(await collectBlob(store, stored)).toBe('')
      }
    })

    test('throws when a segment is missing or too short', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      const one = [{ generation: 0, size: 7 }]
      await expect(store.commit(stored, { generation: 0, segments: one })).rejects.toThrow(UploadMissing)
      await writeSegment(store, stored.key, { text: 'cont' })
      await expect(store.commit(stored, { generation: 0, segments: one })).rejects.toThrow(UploadMissing)
      const two = [
        { generation: 0, size: 4 },
        { generation: 1, size: 3 },
      ]
      await expect(store.commit(stored, { generation: 1, segments: two })).rejects.toThrow(UploadMissing)
      await expect(store.open(stored)).rejects.toThrow(BlobMissing)
    })

    test('does nothing when it is repeated', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      await store.commit(stored, { generation: 0, segments: [{ generation: 0, size: 7 }] })
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('leaves no segment of the key behind', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'taken over')
      await writeSegment(store, stored.key, { generation: 0, text: 'never recorded' })
      await writeSegment(store, stored.key, { generation: 1, text: 'taken over' })
      await store.commit(stored, { generation: 1, segments: [{ generation: 1, size: 10 }] })
      expect((await entriesOf(store)).map(({ digest }) => digest)).toEqual([stored.digest])
    })

    test.for([
      { name: 'of another generation', generation: 1 },
      { name: 'of the committing generation that hangs', generation: 0 },
    ])('keeps the blob from a writer $name and goes on', async ({ generation }) => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await using writer = await store.openSegment(stored.key, { generation: 0, offset: 0 })
      await writer.write(Buffer.from('content'))
      await writer.sync()
      await writer.write(Buffer.from(' and what was in flight'))
      await store.commit(stored, { generation, segments: [{ generation: 0, size: 7 }] })
      // The store may refuse the late bytes or drop them.
      await writer.write(Buffer.alloc(200_000, 'x')).catch(() => undefined)
      await writer.sync().catch(() => undefined)
      expect(await collectBlob(store, stored)).toBe('content')
      expect(await store.stat(stored)).toBe(7)
    })

    test('shows the bytes of a segment of another generation, and ends when they are refused', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { generation: 0, text: 'content and garbage' })
      const segments = [{ generation: 0, size: 7 }]
      const refuse = (): never => {
        throw new Error('not these bytes')
      }
      const refused = store.commit(stored, { generation: 1, segments, onBytes: refuse })
      await expect(refused).rejects.toThrow('not these bytes')
      expect(await store.stat(stored)).toBeUndefined()
      const seen = new CollectingSink()
      const onBytes = (bytes: Uint8Array): void => void seen.write(bytes)
      await store.commit(stored, { generation: 1, segments, onBytes })
      expect(seen.bytes.toString()).toBe('content')
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('is not undone by a writer that opens its segment again afterwards', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { generation: 0, text: 'content' })
      await store.commit(stored, { generation: 1, segments: [{ generation: 0, size: 7 }] })
      await expect(store.openSegment(stored.key, { generation: 0, offset: 3 })).rejects.toThrow(UploadMissing)
      await writeSegment(store, stored.key, { generation: 0, text: 'late' })
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('of two generations at the same time leaves one content', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { text: 'content' })
      const segments = [{ generation: 0, size: 7 }]
      await Promise.all([0, 1, 2].map((generation) => store.commit(stored, { generation, segments })))
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('at the same time as another of the same key succeeds in both', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      await writeSegment(store, stored.key, { text: 'content' })
      const options = { generation: 0, segments: [{ generation: 0, size: 7 }] }
      await Promise.all([store.commit(stored, options), store.commit(stored, options)])
      expect(await collectBlob(store, stored)).toBe('content')
    })
  })
}
