/** Tests the errors of a store whose disk is full, or whose folder is missing or replaced. */
import { readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useFileStores } from '../../../../test/support/parts/file-stores.ts'
import { aKey, collectBlob, putBlob, storedAs, writeSegment } from '../../contract/support.ts'
import { StoreFull, StoreUnavailable } from '../../errors.ts'

const { open, newRoot } = useFileStores()

describe('a missing folder', () => {
  test('means a missing store, not a lost blob', async () => {
    await using opened = await open()
    const stored = await putBlob(opened.store, 'content')
    await rename(join(opened.root, 'blobs'), join(opened.root, 'unmounted'))
    await expect(opened.store.stat(stored)).rejects.toBeInstanceOf(StoreUnavailable)
    await expect(opened.store.open(stored)).rejects.toBeInstanceOf(StoreUnavailable)
    await rename(join(opened.root, 'unmounted'), join(opened.root, 'blobs'))
    expect(await opened.store.stat(stored)).toBe(7)
  })
})

describe('errors of the system', () => {
  test('become StoreFull when a write finds no space, and stay until the segment is opened again', async () => {
    await using opened = await open()
    const { store, root } = opened
    const key = aKey()
    await symlink('/dev/full', join(root, 'uploads', `${key}.0`))
    await using writer = await store.openSegment(key, { generation: 0, offset: 0 })
    await writer.write(Buffer.alloc(10))
    await expect(writer.sync()).rejects.toThrow(StoreFull)
    await expect(writer.write(Buffer.alloc(10))).rejects.toThrow(StoreFull)
    await expect(writer.sync()).rejects.toThrow(StoreFull)
  })

  test('of a batch in the background reach a later write', async () => {
    await using opened = await open()
    const key = aKey()
    await symlink('/dev/full', join(opened.root, 'uploads', `${key}.0`))
    await using writer = await opened.store.openSegment(key, { generation: 0, offset: 0 })
    const writeAll = async (): Promise<void> => {
      for (let count = 0; count < 4; count++) await writer.write(Buffer.alloc(1024 * 1024))
    }
    await expect(writeAll()).rejects.toThrow(StoreFull)
  })

  test('become StoreUnavailable with their cause', async () => {
    await using opened = await open()
    const { store, root } = opened
    await rm(join(root, 'uploads'), { recursive: true })
    await writeFile(join(root, 'uploads'), 'no folder')
    const attempt = store.openSegment(aKey(), { generation: 0, offset: 0 })
    await expect(attempt).rejects.toThrow(StoreUnavailable)
    await expect(attempt).rejects.toMatchObject({ retryable: false, cause: { code: 'ENOTDIR' } })
    await expect(store.ping()).rejects.toThrow(StoreUnavailable)
    await expect(store.delete(aKey(), undefined)).rejects.toThrow(StoreUnavailable)
    await expect(Array.fromAsync(store.list())).rejects.toThrow(StoreUnavailable)
  })

  test('come from a folder that replaced the store, until the store is back', async () => {
    await using opened = await open()
    const { store, root } = opened
    const [stored, key] = [await putBlob(store, 'content'), aKey()]
    await writeSegment(store, key, { text: 'begun' })
    await rename(root, `${root}-volume`)
    {
      await using mountPoint = await open(root)
      await mountPoint.store.writeInstallationId('the same')
      await writeSegment(mountPoint.store, key, { text: 'begun' })
    }
    const away = { key, digest: storedAs(key, 'begun').digest }
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => store.stat(stored),
      () => store.open(stored),
      () => store.commit(away, { segments: [{ generation: 0, size: 5 }], generation: 0 }),
      () => store.openSegment(aKey(), { generation: 0, offset: 5 }),
      () => store.delete(key, undefined),
      () => store.deleteAll([stored]),
      () => store.setAside([stored]),
      () => Array.fromAsync(store.list()),
      () => store.ping(),
    ]
    for (const attempt of attempts)
      await expect(attempt()).rejects.toThrow('is no longer the blob store that was opened')
    expect(await readdir(join(root, 'uploads'))).toEqual([`${key}.0`])
    await rename(root, `${root}-mount-point`)
    await rename(`${root}-volume`, root)
    expect(await collectBlob(store, stored)).toBe('content')
    await store.ping()
  })

  test('prevent opening a store whose root is not a folder', async () => {
    const root = newRoot()
    await writeFile(root, 'a file')
    await expect(open(root)).rejects.toThrow(StoreUnavailable)
  })

  test('do not hide the space that a full store still has for reading', async () => {
    await using opened = await open()
    const stored = await putBlob(opened.store, 'content')
    const key = aKey()
    await symlink('/dev/full', join(opened.root, 'uploads', `${key}.0`))
    await expect(writeSegment(opened.store, key, { text: 'x' })).rejects.toThrow(StoreFull)
    expect(await collectBlob(opened.store, stored)).toBe('content')
  })
})
