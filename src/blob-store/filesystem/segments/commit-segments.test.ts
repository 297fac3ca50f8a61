/** Tests which bytes a commit turns into the blob, also after a crash and while other processes write. */
import { readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blobFileOf, useFileStores } from '../../../../test/support/parts/file-stores.ts'
import { CollectingSink, aKey, collectBlob, storedAs, writeSegment } from '../../contract/support.ts'

const { open } = useFileStores()

describe('a commit of a segment that a writer of this process left synced', () => {
  test('excludes bytes that a writer of another process added, before the commit and after it', async () => {
    await using here = await open()
    await using there = await open(here.root)
    const stored = storedAs(aKey(), 'content')
    await writeSegment(here.store, stored.key, { generation: 0, text: 'content' })
    await using other = await there.store.openSegment(stored.key, { generation: 0, offset: 7 })
    await other.write(Buffer.from(' and more'))
    await other.sync()
    // The committer displaced the other writer, so its generation is higher.
    await here.store.commit(stored, { generation: 1, segments: [{ generation: 0, size: 7 }] })
    await other.write(Buffer.from(' and later'))
    await other.sync()
    expect(await collectBlob(here.store, stored)).toBe('content')
    expect(await here.store.stat(stored)).toBe(7)
  })

  test('renames the file of the committing generation: a push costs no copy', async () => {
    await using opened = await open()
    const stored = storedAs(aKey(), 'content')
    await writeSegment(opened.store, stored.key, { generation: 2, text: 'content' })
    const { ino } = await stat(join(opened.root, 'uploads', `${stored.key}.2`))
    const onBytes = (): never => {
      throw new Error('the bytes were copied')
    }
    await opened.store.commit(stored, { generation: 2, segments: [{ generation: 2, size: 7 }], onBytes })
    expect((await stat(blobFileOf(opened.root, stored))).ino).toBe(ino)
  })

  test('finds the blob that another process made of it', async () => {
    await using here = await open()
    await using there = await open(here.root)
    const stored = storedAs(aKey(), 'content')
    const segments = [{ generation: 0, size: 7 }]
    await writeSegment(here.store, stored.key, { generation: 0, text: 'content' })
    await there.store.commit(stored, { generation: 0, segments })
    await here.store.commit(stored, { generation: 0, segments })
    expect(await collectBlob(here.store, stored)).toBe('content')
  })
})

describe('a commit that a crash cut off', () => {
  const segments = [
    { generation: 0, size: 3 },
    { generation: 1, size: 3 },
  ]

  test('continues when garbage follows the recorded bytes', async () => {
    await using opened = await open()
    const stored = storedAs(aKey(), 'onetwo')
    await writeFile(join(opened.root, 'uploads', `${stored.key}.0`), 'onetwo and garbage')
    await opened.store.commit(stored, { generation: 0, segments: [{ generation: 0, size: 6 }] })
    expect(await readFile(blobFileOf(opened.root, stored), 'utf8')).toBe('onetwo')
  })

  test('starts its join again beside a half written one, and removes that', async () => {
    await using opened = await open()
    const { store, root } = opened
    const stored = storedAs(aKey(), 'onetwo')
    await writeSegment(store, stored.key, { generation: 0, text: 'one' })
    await writeSegment(store, stored.key, { generation: 1, text: 'two' })
    await writeFile(join(root, 'uploads', `${stored.key}.join-${aKey()}`), 'onet')
    await store.commit(stored, { generation: 1, segments })
    expect(await collectBlob(store, stored)).toBe('onetwo')
    expect(await readdir(join(root, 'uploads'))).toEqual([])
  })

  test('only removes the segments when the blob has its name already', async () => {
    await using opened = await open()
    const { store, root } = opened
    const stored = storedAs(aKey(), 'onetwo')
    await writeSegment(store, stored.key, { generation: 0, text: 'one' })
    await writeSegment(store, stored.key, { generation: 1, text: 'two' })
    await writeFile(blobFileOf(root, stored), 'onetwo')
    const seen = new CollectingSink()
    await store.commit(stored, { generation: 1, segments, onBytes: (bytes) => void seen.write(bytes) })
    expect(seen.bytes.length).toBe(0)
    expect(await collectBlob(store, stored)).toBe('onetwo')
    expect(await readdir(join(root, 'uploads'))).toEqual([])
  })

  test('does nothing more when the only segment was renamed', async () => {
    await using opened = await open()
    const stored = storedAs(aKey(), 'one')
    await writeSegment(opened.store, stored.key, { text: 'one' })
    await rename(join(opened.root, 'uploads', `${stored.key}.0`), blobFileOf(opened.root, stored))
    await opened.store.commit(stored, { generation: 0, segments: [{ generation: 0, size: 3 }] })
    expect(await collectBlob(opened.store, stored)).toBe('one')
  })

  test('leaves only files that delete removes, half-written joins included', async () => {
    await using opened = await open()
    const stored = storedAs(aKey(), 'onetwo')
    await writeFile(join(opened.root, 'uploads', `${stored.key}.join-${aKey()}`), 'on')
    await writeFile(join(opened.root, 'uploads', `${stored.key}.31`), 'on')
    const [entry] = await Array.fromAsync(opened.store.list())
    expect(entry).toMatchObject({ key: stored.key, digest: undefined, size: 4 })
    await opened.store.delete(stored.key, undefined)
    expect(await readdir(join(opened.root, 'uploads'))).toEqual([])
  })
})
