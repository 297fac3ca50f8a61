/** Tests the batches of the file store, and the folders for entries that were set aside. */
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../../test/support/processes/temp-folder.ts'
import { BufferPool } from '../../lib/memory/buffer-pool.ts'
import { systemIds } from '../../lib/ids.ts'
import { aKey, entriesOf, putBlob, writeSegment } from '../contract/support.ts'
import { openFilesystemBlobStore } from './filesystem-blob-store.ts'
import { listNames } from './segments/remove-segments.ts'

const noon = Date.UTC(2026, 10, 30, 12)

async function open() {
  const folder = await tempFolder('lading-aside')
  const scans: string[] = []
  const strange: string[] = []
  const root = join(folder.path, 'store')
  const store = await openFilesystemBlobStore({
    root,
    buffers: new BufferPool(),
    clock: { now: () => noon },
    ids: systemIds,
    onStrange: (path) => void strange.push(path.slice(root.length + 1)),
    listNames: (path) => {
      scans.push(path.slice(root.length + 1))
      return listNames(path)
    },
  })
  const dispose = async () => {
    await store[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  }
  return { store, root, scans, strange, [Symbol.asyncDispose]: dispose }
}

describe('the file store', () => {
  test('scans the uploads folder once for all keys of a batch', async () => {
    await using opened = await open()
    const { store, scans } = opened
    const dead = Array.from({ length: 50 }, () => ({ key: aKey(), digest: undefined }))
    for (const { key } of dead) await writeSegment(store, key, { generation: 11, text: 'x' })
    expect(await store.setAside(dead.slice(0, 25))).toEqual([])
    expect(scans).toEqual(['uploads'])
    expect(await store.deleteAll(dead)).toEqual([])
    expect(scans).toEqual(['uploads', 'uploads'])
    expect(await entriesOf(store)).toEqual([])
  })

  test('deletes the other keys of a batch when a file cannot be removed', async () => {
    await using opened = await open()
    const { store, root } = opened
    const [first, stuck, last] = await Promise.all(['1', '2', '3'].map((text) => putBlob(store, text)))
    await store.delete(stuck!.key, stuck!.digest)
    await mkdir(
      join(root, 'blobs', stuck!.key.slice(0, 2), `${stuck!.key}_${stuck!.digest.replace(':', '-')}`),
    )
    const segment = aKey()
    await mkdir(join(root, 'uploads', `${segment}.0`))
    const failures = await store.deleteAll([first!, stuck!, { key: segment, digest: undefined }, last!])
    expect(failures).toMatchObject([
      { key: stuck!.key, error: { name: 'StoreUnavailable' } },
      { key: segment, error: { name: 'StoreUnavailable' } },
    ])
    expect(await entriesOf(store)).toEqual([])
  })

  test('sets bytes aside in the folder of the day, with their names and times', async () => {
    await using opened = await open()
    const { store, root } = opened
    const stored = await putBlob(store, 'content')
    const name = `${stored.key}_${stored.digest.replace(':', '-')}`
    await utimes(join(root, 'blobs', stored.key.slice(0, 2), name), 1_000, 1_000)
    await store.setAside([stored])
    expect(await readdir(join(root, 'orphans'))).toEqual(['2026-11-30'])
    expect(await readFile(join(root, 'orphans', '2026-11-30', name), 'utf8')).toBe('content')
    const [entry] = await Array.fromAsync(store.listAside())
    expect(entry).toMatchObject({ modifiedAt: 1_000_000, setAsideAt: Date.UTC(2026, 10, 30) })
    await store.deleteAside(entry!)
    expect(await readdir(join(root, 'orphans'))).toEqual([])
  })

  test('leaves files alone that it did not set aside', async () => {
    await using opened = await open()
    const { store, root, strange } = opened
    await mkdir(join(root, 'orphans', '2026-11-30'), { recursive: true })
    await mkdir(join(root, 'orphans', '2026-13-30'))
    await writeFile(join(root, 'orphans', '2026-11-30', 'notes.txt'), 'x')
    expect(await Array.fromAsync(store.listAside())).toEqual([])
    expect(strange.sort()).toEqual(['orphans/2026-11-30/notes.txt', 'orphans/2026-13-30'])
    for (const id of ['../x', '2026-11-30/../../x', '2026-11-30/notes.txt']) {
      const entry = { id, key: aKey(), digest: undefined, size: 1, modifiedAt: 1, setAsideAt: 1 }
      await expect(store.deleteAside(entry)).rejects.toThrow('is not an entry of the orphans folder')
    }
  })
})
