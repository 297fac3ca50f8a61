/** Tests of batches: deleting many keys, and setting bytes aside instead of deleting them. */
import { describe, expect, test } from 'vitest'
import type { AsideEntry, BlobStore } from '../blob-store.ts'
import { BlobMissing } from '../errors.ts'
import type { OpenStore } from './support.ts'
import {
  aKey,
  anAbsentBlob,
  collectBlob,
  entriesOf,
  putBlob,
  readSegment,
  storedAs,
  writeSegment,
} from './support.ts'

async function asideOf(store: BlobStore): Promise<readonly AsideEntry[]> {
  return Array.fromAsync(store.listAside())
}

export function describeBatches(openStore: OpenStore): void {
  describe('deleteAll', () => {
    test('removes the blobs and the segments of its keys and touches no other key', async () => {
      await using store = await openStore()
      const kept = await putBlob(store, 'kept')
      const blob = await putBlob(store, 'dead')
      await writeSegment(store, blob.key, { generation: 3, text: 'late' })
      const upload = aKey()
      await writeSegment(store, upload, { generation: 0, text: 'one' })
      await writeSegment(store, upload, { generation: 12, text: 'two' })
      const dead = [blob, { key: upload, digest: undefined }, anAbsentBlob()]
      expect(await store.deleteAll(dead)).toEqual([])
      expect((await entriesOf(store)).map(({ key }) => key)).toEqual([kept.key])
      expect(await store.deleteAll([...dead])).toEqual([])
      expect(await store.deleteAll([])).toEqual([])
    })
  })
}

export function describeAside(openStore: OpenStore): void {
  describe('setting aside', () => {
    test('takes a blob out of the store and keeps its bytes', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      const [before] = await entriesOf(store)
      expect(await store.setAside([stored])).toEqual([])
      expect(await entriesOf(store)).toEqual([])
      await expect(store.open(stored)).rejects.toThrow(BlobMissing)
      const [entry, ...others] = await asideOf(store)
      expect(others).toEqual([])
      expect(entry).toMatchObject({ ...stored, size: 7, modifiedAt: before?.modifiedAt })
      expect((entry?.setAsideAt ?? 0) % 86_400_000).toBe(0)
    })

    test('moves every segment of a key that has no digest, and leaves its blob', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      await writeSegment(store, stored.key, { generation: 0, text: 'late' })
      await writeSegment(store, stored.key, { generation: 9, text: 'later' })
      await store.setAside([{ key: stored.key, digest: undefined }])
      expect((await entriesOf(store)).map(({ digest }) => digest)).toEqual([stored.digest])
      const aside = await asideOf(store)
      expect(aside.map(({ digest }) => digest)).toEqual([undefined, undefined])
      expect(aside.map(({ size }) => size)).toEqual(expect.arrayContaining([4, 5]))
    })

    test('leaves the segments of a blob whose digest is given', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      await writeSegment(store, stored.key, { generation: 2, text: 'late' })
      await store.setAside([stored])
      expect((await entriesOf(store)).map(({ digest }) => digest)).toEqual([undefined])
    })

    test('accepts missing bytes and a repetition', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      const bytes = [stored, anAbsentBlob(), { key: aKey(), digest: undefined }]
      expect(await store.setAside(bytes)).toEqual([])
      expect(await store.setAside(bytes)).toEqual([])
      expect(await asideOf(store)).toHaveLength(1)
    })

    test('puts blobs and segments back as they were', async () => {
      await using store = await openStore()
      const stored = await putBlob(store, 'content')
      const upload = aKey()
      await writeSegment(store, upload, { generation: 0, text: 'unfinished' })
      const before = await entriesOf(store)
      await store.setAside([stored, { key: upload, digest: undefined }])
      for (const entry of await asideOf(store)) expect(await store.restoreAside(entry)).toBe(true)
      expect(await asideOf(store)).toEqual([])
      expect(await entriesOf(store)).toEqual(before)
      expect(await collectBlob(store, stored)).toBe('content')
      expect(await readSegment(store, upload, 10)).toBe('unfinished')
    })

    test('does not put an entry back over other bytes', async () => {
      await using store = await openStore()
      const stored = storedAs(aKey(), 'content')
      const segments = [{ generation: 0, size: 7 }]
      await writeSegment(store, stored.key, { text: 'content' })
      await store.commit(stored, { segments, generation: 0 })
      await store.setAside([stored])
      await writeSegment(store, stored.key, { text: 'content' })
      await store.commit(stored, { segments, generation: 0 })
      const [entry] = await asideOf(store)
      expect(await store.restoreAside(entry!)).toBe(false)
      expect(await asideOf(store)).toEqual([entry])
      expect(await collectBlob(store, stored)).toBe('content')
    })

    test('deletes an entry for good, and accepts a missing one', async () => {
      await using store = await openStore()
      const kept = await putBlob(store, 'kept')
      const stored = await putBlob(store, 'content')
      await store.setAside([stored, kept])
      const entry = (await asideOf(store)).find(({ key }) => key === stored.key)
      await store.deleteAside(entry!)
      await store.deleteAside(entry!)
      expect(await store.restoreAside(entry!)).toBe(false)
      expect((await asideOf(store)).map(({ key }) => key)).toEqual([kept.key])
    })
  })
}
