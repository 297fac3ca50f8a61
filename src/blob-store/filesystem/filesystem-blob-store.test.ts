/** Tests that the file store meets the contract of every store, in the folders of its layout. */
import { lstat, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { blobFileOf, useFileStores } from '../../../test/support/parts/file-stores.ts'
import { describeBlobStoreContract } from '../contract/blob-store-contract.ts'
import { aKey, collectBlob, putBlob, writeSegment } from '../contract/support.ts'

const { open } = useFileStores()

describeBlobStoreContract('FilesystemBlobStore', async () => (await open()).store)

describe('FilesystemBlobStore', () => {
  test('is stored in the folders of its layout, closed to other users', async () => {
    await using opened = await open()
    const { store, root } = opened
    const stored = await putBlob(store, 'content')
    const key = aKey()
    await writeSegment(store, key, { generation: 7, text: 'unfinished' })
    await store.writeInstallationId('an id')
    expect((await readdir(root)).sort()).toEqual(['blobs', 'installation', 'uploads'])
    expect(await readdir(join(root, 'blobs'))).toHaveLength(256)
    expect(await readFile(blobFileOf(root, stored), 'utf8')).toBe('content')
    expect(await readdir(join(root, 'uploads'))).toEqual([`${key}.7`])
    for (const path of ['', 'uploads', 'blobs', 'blobs/00']) expect(await modeOf(root, path)).toBe(0o700)
    for (const path of ['installation', `uploads/${key}.7`]) expect(await modeOf(root, path)).toBe(0o600)
    expect((await lstat(blobFileOf(root, stored))).mode & 0o777).toBe(0o600)
  })

  test('has the same content after it is reopened', async () => {
    await using first = await open()
    const stored = await putBlob(first.store, 'content')
    await first.store.writeInstallationId('an id')
    await using second = await open(first.root)
    expect(await collectBlob(second.store, stored)).toBe('content')
    expect(await second.store.readInstallationId()).toBe('an id')
  })

  test('lists blobs found by a scan, and skips files that it did not write', async () => {
    await using opened = await open()
    const { store, root, strange } = opened
    const stored = await putBlob(store, 'content')
    await writeFile(join(root, 'uploads', 'notes.txt'), 'x')
    await writeFile(join(root, 'uploads', 'probe'), 'x')
    await writeFile(join(root, 'blobs', '00', 'lost+found'), 'x')
    await writeFile(join(root, 'blobs', '00', `${'0'.repeat(32)}_sha256-short`), 'x')
    await writeFile(join(root, 'blobs', 'ff', `${'0'.repeat(32)}_sha256-${'0'.repeat(64)}`), 'x')
    await mkdir(join(root, 'uploads', `${aKey()}.1`))
    expect(await Array.fromAsync(store.list())).toEqual([
      { ...stored, size: 7, modifiedAt: expect.any(Number) },
    ])
    expect(strange).toHaveLength(5)
  })

  test('keeps listing while files disappear', async () => {
    await using opened = await open()
    const blobs = await Promise.all(
      Array.from({ length: 40 }, (_, index) => putBlob(opened.store, `blob ${index}`)),
    )
    let seen = 0
    for await (const entry of opened.store.list()) {
      seen++
      await Promise.all(blobs.map(({ key, digest }) => opened.store.delete(key, digest)))
      expect(entry.digest).toBeDefined()
    }
    expect(seen).toBeLessThan(40)
    expect(await Array.fromAsync(opened.store.list())).toEqual([])
  })
})

async function modeOf(root: string, path: string): Promise<number> {
  return (await lstat(join(root, path))).mode & 0o777
}
