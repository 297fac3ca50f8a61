/** What every driver of the blob store promises, as tests. */
import { describe, expect, test } from 'vitest'
import type { BlobStore, StoreEntry } from '../blob-store.ts'
import { BlobMissing, UploadMissing } from '../errors.ts'
import {
  CollectingSink,
  aKey,
  anAbsentBlob,
  bytesOf,
  collectBlob,
  putBlob,
  storedAs,
  writeSegment,
} from './support.ts'

export type OpenStore = () => Promise<BlobStore>

export function describeBlobStoreContract(name: string, openStore: OpenStore): void {
  describe(`${name} keeps the blob store contract`, () => {
    describeSegments(openStore)
    describeCommit(openStore)
    describeReading(openStore)
    describeRemoval(openStore)
    describeList(openStore)
    describeInstallation(openStore)
  })
}

function describeSegments(openStore: OpenStore): void {
  describe('segments', () => {
    test('count the bytes written and report them as durable', async () => {
      await using store = await openStore()
      await using writer = await store.openSegment(aKey(), { generation: 0, offset: 0 })
      expect(writer.size).toBe(0)
      await writer.write(bytesOf('hello '))
      await writer.write(bytesOf(''))
      await writer.write(bytesOf('world'))
      expect(writer.size).toBe(11)
      expect(await writer.sync()).toBe(11)
      expect(await writer.sync()).toBe(11)
    })

    test('keep every byte of many chunks of odd sizes in order', async () => {
      await using store = await openStore()
      const key = aKey()
      const chunks = Array.from({ length: 300 }, (_, index) =>
        Buffer.alloc(1 + ((index * 7919) % 20_000), index),
      )
      await using writer = await store.openSegment(key, { generation: 0, offset: 0 })
      for (const chunk of chunks) await writer.write(chunk)
      const size = await writer.sync()
      const sink = new CollectingSink()
      await store.readSegments(key, [{ generation: 0, size }], sink)
      expect(sink.bytes.equals(Buffer.concat(chunks))).toBe(true)
    })

    test('go on where they were left', async () => {
      await using store = await openStore()
      const key = aKey()
      await writeSegment(store, key, { text: 'hello ' })
      await writeSegment(store, key, { offset: 6, text: 'world' })
      expect(await readSegment(store, key, 11)).toBe('hello world')
    })

    test('lose what lies beyond the offset at which they are opened', async () => {
      await using store = await openStore()
      const key = aKey()
      await writeSegment(store, key, { text: 'hello wrong' })
      await using writer = await store.openSegment(key, { generation: 0, offset: 6 })
      expect(writer.size).toBe(6)
      await writer.write(bytesOf('w'))
      expect(await writer.sync()).toBe(7)
      expect(await readSegment(store, key, 7)).toBe('hello w')
      await expect(readSegment(store, key, 11)).rejects.toThrow(UploadMissing)
    })

    test('sync what was written before the call while writes go on', async () => {
      await using store = await openStore()
      const key = aKey()
      await using writer = await store.openSegment(key, { generation: 0, offset: 0 })
      const chunk = Buffer.alloc(300_000, 'x')
      const synced: Promise<number>[] = []
      for (let count = 0; count < 30; count++) {
        await writer.write(chunk)
        synced.push(writer.sync())
      }
      expect(await Promise.all(synced)).toEqual(synced.map((_, index) => (index + 1) * 300_000))
      expect(writer.size).toBe(9_000_000)
      expect((await readSegment(store, key, 9_000_000)).length).toBe(9_000_000)
    })

    test('start anew at offset 0', async () => {
      await using store = await openStore()
      const key = aKey()
      await writeSegment(store, key, { text: 'first' })
      await writeSegment(store, key, { text: 'again' })
      expect(await readSegment(store, key, 5)).toBe('again')
    })

    test('cannot be opened beyond their bytes, nor beyond 0 when there are none', async () => {
      await using store = await openStore()
      const key = aKey()
      await writeSegment(store, key, { text: 'four' })
      await expect(store.openSegment(key, { generation: 0, offset: 5 })).rejects.toThrow(UploadMissing)
      await expect(store.openSegment(key, { generation: 1, offset: 1 })).rejects.toThrow(UploadMissing)
      await expect(store.openSegment(aKey(), { generation: 0, offset: 1 })).rejects.toThrow(UploadMissing)
    })

    test('refuse writes once closed', async () => {
      await using store = await openStore()
      const writer = await store.openSegment(aKey(), { generation: 0, offset: 0 })
      await writer[Symbol.asyncDispose]()
      await writer[Symbol.asyncDispose]()
      await expect(writer.write(bytesOf('late'))).rejects.toThrow('closed')
    })

    test('of a taken over upload do not see what its previous writer still writes', async () => {
      await using store = await openStore()
      const key = aKey()
      await using hung = await store.openSegment(key, { generation: 0, offset: 0 })
      await hung.write(bytesOf('recorded'))
      await hung.sync()
      await writeSegment(store, key, { generation: 1, text: ' and continued' })
      await hung.write(bytesOf(' but late'))
      await hung.sync()
      const stored = storedAs(key, 'recorded and continued')
      const segments = [
        { generation: 0, size: 8 },
        { generation: 1, size: 14 },
      ]
      await store.commit(stored, { segments })
      expect(await collectBlob(store, stored)).toBe('recorded and continued')
    })
  })
}

function describeCommit(openStore: OpenStore): void {
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

function describeReading(openStore: OpenStore): void {
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

    test('goes on for open readers while the blob is deleted', async () => {
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

    test('passes on what the sink fails with', async () => {
      await using store = await openStore()
      await using reader = await store.open(await putBlob(store, Buffer.alloc(300_000)))
      const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'write' })
      await expect(reader.copyTo({ write: () => Promise.reject(reset) }, {})).rejects.toBe(reset)
    })

    test('gives the whole content when it is at hand', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      for (let round = 0; round < 2; round++) {
        await using reader = await store.open(stored)
        expect(Buffer.from(reader.bytes ?? bytesOf('content')).toString()).toBe('content')
      }
    })
  })
}

function describeRemoval(openStore: OpenStore): void {
  describe('delete', () => {
    test('removes the blob and every segment of the key', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      await writeSegment(store, stored.key, { generation: 4, text: 'late' })
      await store.delete(stored.key, stored.digest)
      expect(await entriesOf(store)).toEqual([])
    })

    test('removes the segments only when no digest is given', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      await writeSegment(store, stored.key, { generation: 40, text: 'late' })
      await store.delete(stored.key, undefined)
      expect((await entriesOf(store)).map(({ digest }) => digest)).toEqual([stored.digest])
    })

    test('touches no other key and accepts a missing one', async () => {
      await using store = await openStore()
      const kept = await putBlob(store, 'kept')
      const { key, digest } = anAbsentBlob()
      await store.delete(key, digest)
      await store.delete(key, undefined)
      expect(await collectBlob(store, kept)).toBe('kept')
    })
  })
}

function describeList(openStore: OpenStore): void {
  describe('list', () => {
    test('yields every blob with its digest and one entry per unfinished upload', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      const key = aKey()
      await writeSegment(store, key, { generation: 0, text: 'one' })
      await writeSegment(store, key, { generation: 1, text: 'three' })
      const entries = await entriesOf(store)
      expect(entries).toHaveLength(2)
      expect(entries).toContainEqual({ ...stored, size: 7, modifiedAt: expect.any(Number) })
      expect(entries).toContainEqual({ key, digest: undefined, size: 8, modifiedAt: expect.any(Number) })
    })

    test('yields nothing for a new store', async () => {
      await using store = await openStore()
      expect(await entriesOf(store)).toEqual([])
    })
  })
}

function describeInstallation(openStore: OpenStore): void {
  describe('the installation', () => {
    test('is unknown to a new store and is replaced by a later one', async () => {
      await using store = await openStore()
      expect(await store.readInstallationId()).toBeUndefined()
      await store.writeInstallationId('first')
      expect(await store.readInstallationId()).toBe('first')
      await store.writeInstallationId('second')
      expect(await store.readInstallationId()).toBe('second')
    })

    test('answers a ping and holds nothing of it afterwards', async () => {
      await using store = await openStore()
      await Promise.all([store.ping(), store.ping(), store.ping()])
      expect(await entriesOf(store)).toEqual([])
    })
  })
}

async function readSegment(store: BlobStore, key: string, size: number): Promise<string> {
  const sink = new CollectingSink()
  await store.readSegments(key, [{ generation: 0, size }], sink)
  return sink.bytes.toString()
}

async function entriesOf(store: BlobStore): Promise<readonly StoreEntry[]> {
  return Array.fromAsync(store.list())
}
