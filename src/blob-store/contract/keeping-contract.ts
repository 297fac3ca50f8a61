/** Tests of deleting, listing and the installation id. */
import { describe, expect, test } from 'vitest'
import type { OpenStore } from './support.ts'
import { aKey, anAbsentBlob, collectBlob, putBlob, writeSegment, entriesOf } from './support.ts'

export function describeRemoval(openStore: OpenStore): void {
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

export function describeList(openStore: OpenStore): void {
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

export function describeInstallation(openStore: OpenStore): void {
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
