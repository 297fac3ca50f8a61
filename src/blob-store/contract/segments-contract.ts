/** Tests of segments: bytes of a future blob, with one writer each. */
import { describe, expect, test } from 'vitest'
import { UploadMissing } from '../errors.ts'
import type { OpenStore } from './support.ts'
import { CollectingSink, aKey, bytesOf, collectBlob, storedAs, writeSegment, readSegment } from './support.ts'

export function describeSegments(openStore: OpenStore): void {
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

    test('continue where they stopped', async () => {
      await using store = await openStore()
      const key = aKey()
      await writeSegment(store, key, { text: 'hello ' })
      await writeSegment(store, key, { offset: 6, text: 'world' })
      expect(await readSegment(store, key, 11)).toBe('hello world')
    })

    test('lose bytes beyond the offset at which they are opened', async () => {
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

    test('sync bytes written before the call while writes continue', async () => {
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

    test('start again at offset 0', async () => {
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

    test('of a taken-over upload do not contain bytes that its previous writer still writes', async () => {
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
      await store.commit(stored, { generation: 1, segments })
      expect(await collectBlob(store, stored)).toBe('recorded and continued')
    })
  })
}
