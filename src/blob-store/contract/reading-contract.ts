/** Tests of reading: whole blobs and ranges, slow peers, deletes during a read. */
import { describe, expect, test } from 'vitest'
import { BlobMissing } from '../errors.ts'
import type { OpenStore } from './support.ts'
import { CollectingSink, anAbsentBlob, bytesOf, collectBlob, putBlob, writeSegment } from './support.ts'

export function describeReading(openStore: OpenStore): void {
  describe('stat', () => {
    test('returns the size of a blob, and none for a deleted, unfinished or unknown one', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      expect(await store.stat(stored)).toBe(7)
      expect(await store.stat(await putBlob(store, ''))).toBe(0)
      expect(await store.stat({ ...stored, digest: anAbsentBlob().digest })).toBeUndefined()
      await collectBlob(store, stored)
      await store.delete(stored.key, stored.digest)
      expect(await store.stat(stored)).toBeUndefined()
      const unfinished = anAbsentBlob()
      await writeSegment(store, unfinished.key, { text: 'absent' })
      expect(await store.stat(unfinished)).toBeUndefined()
    })
  })

  describe('reading', () => {
    test.for([
      { range: { start: 0, end: 0 }, expected: 'c' },
      { range: { start: 6, end: 6 }, expected: 't' },
      { range: { start: 2, end: 4 }, expected: 'nte' },
      { range: { start: 0, end: 6 }, expected: 'content' },
      { range: undefined, expected: 'content' },
    ])('copies $expected', async ({ range, expected }) => {
      await using store = await openStore()
      await using reader = await store.open(await putBlob(store, 'content'))
      expect(reader.size).toBe(7)
      const sink = new CollectingSink()
      await reader.copyTo(sink, { range })
      expect(sink.bytes.toString()).toBe(expected)
    })

    test('copies any range of a large blob exactly', async () => {
      await using store = await openStore()
      const content = Buffer.alloc(3_000_001)
      for (let index = 0; index < content.length; index++) content[index] = (index * 31) ^ (index >> 8)
      await using reader = await store.open(await putBlob(store, content))
      const edges = [0, 1, 65_535, 65_536, 131_072, 1_048_577, 3_000_000]
      for (const start of edges) {
        for (const end of edges.filter((edge) => edge >= start)) {
          const sink = new CollectingSink()
          await reader.copyTo(sink, { range: { start, end } })
          expect(sink.bytes.equals(content.subarray(start, end + 1))).toBe(true)
        }
      }
    })

    test('throws BlobMissing for a range that the blob does not have', async () => {
      await using store = await openStore()
      await using reader = await store.open(await putBlob(store, 'content'))
      const copy = reader.copyTo(new CollectingSink(), { range: { start: 5, end: 7 } })
      await expect(copy).rejects.toThrow(BlobMissing)
    })

    test('throws BlobMissing for a key that holds nothing', async () => {
      await using store = await openStore()
      await expect(store.open(anAbsentBlob())).rejects.toThrow(BlobMissing)
    })

    test('continues for open readers while the blob is deleted', async () => {
      await using store = await openStore()
      const content = Buffer.alloc(1_500_000, 'x')
      const stored = await putBlob(store, content)
      const readers = await Promise.all([store.open(stored), store.open(stored), store.open(stored)])
      await store.delete(stored.key, stored.digest)
      await expect(store.open(stored)).rejects.toThrow(BlobMissing)
      for (const reader of readers) {
        await using blob = reader
        const sink = new CollectingSink()
        await blob.copyTo(sink, {})
        expect(sink.bytes.equals(content)).toBe(true)
      }
    })

    test('stops with the reason of the signal while the sink does not drain', async () => {
      await using store = await openStore()
      await using reader = await store.open(await putBlob(store, Buffer.alloc(2_000_000)))
      const controller = new AbortController()
      const stuck = Promise.withResolvers<void>()
      const copy = reader.copyTo(
        {
          write: () => {
            stuck.resolve()
            return new Promise<never>(() => undefined)
          },
        },
        { signal: controller.signal },
      )
      await stuck.promise
      const reason = new Error('the client is gone')
      controller.abort(reason)
      await expect(copy).rejects.toBe(reason)
    })

    test('does not start for a signal that is aborted already', async () => {
      await using store = await openStore()
      await using reader = await store.open(await putBlob(store, 'content'))
      const sink = new CollectingSink()
      const reason = new Error('gone')
      await expect(reader.copyTo(sink, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(sink.bytes.length).toBe(0)
    })

    test('passes errors of the sink on', async () => {
      await using store = await openStore()
      await using reader = await store.open(await putBlob(store, Buffer.alloc(300_000)))
      const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'write' })
      await expect(reader.copyTo({ write: () => Promise.reject(reset) }, {})).rejects.toBe(reset)
    })

    test('gives the whole content when it is in memory', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      for (let round = 0; round < 2; round++) {
        await using reader = await store.open(stored)
        expect(Buffer.from(reader.bytes ?? bytesOf('content')).toString()).toBe('content')
      }
    })
  })
}
