import {
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TempFolder } from '../../../test/support/temp-folder.ts'
import { tempFolder } from '../../../test/support/temp-folder.ts'
import { BufferPool } from '../../lib/buffer-pool.ts'
import { systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import type { BlobStore } from '../blob-store.ts'
import { describeBlobStoreContract } from '../contract/blob-store-contract.ts'
import { CollectingSink, aKey, collectBlob, putBlob, storedAs, writeSegment } from '../contract/support.ts'
import { BlobMissing, StoreFull, StoreUnavailable } from '../errors.ts'
import { openFilesystemBlobStore } from './filesystem-blob-store.ts'

let folder: TempFolder
beforeAll(async () => {
  folder = await tempFolder('lading-blob-store')
})
afterAll(async () => {
  await folder[Symbol.asyncDispose]()
})

interface Opened extends AsyncDisposable {
  readonly store: BlobStore
  readonly root: string
  readonly buffers: BufferPool
  readonly strange: string[]
}

async function open(root = join(folder.path, aKey())): Promise<Opened> {
  const buffers = new BufferPool()
  const strange: string[] = []
  const onStrange = (path: string): void => void strange.push(path.slice(root.length + 1))
  const store = await openFilesystemBlobStore({
    root,
    buffers,
    clock: systemClock,
    ids: systemIds,
    onStrange,
  })
  return { store, root, buffers, strange, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

describeBlobStoreContract('FilesystemBlobStore', async () => (await open()).store)

function pathOf(root: string, { key, digest }: { key: string; digest: string }): string {
  return join(root, 'blobs', key.slice(0, 2), `${key}_${digest.replace(':', '-')}`)
}

describe('FilesystemBlobStore', () => {
  test('lies in the folders that its layout names, closed to others', async () => {
    await using opened = await open()
    const { store, root } = opened
    const stored = await putBlob(store, 'content')
    const key = aKey()
    await writeSegment(store, key, { generation: 7, text: 'unfinished' })
    await store.writeInstallationId('an id')
    expect((await readdir(root)).sort()).toEqual(['blobs', 'installation', 'uploads'])
    expect(await readdir(join(root, 'blobs'))).toHaveLength(256)
    expect(await readFile(pathOf(root, stored), 'utf8')).toBe('content')
    expect(await readdir(join(root, 'uploads'))).toEqual([`${key}.7`])
    for (const path of ['', 'uploads', 'blobs', 'blobs/00']) expect(await modeOf(root, path)).toBe(0o700)
    for (const path of ['installation', `uploads/${key}.7`]) expect(await modeOf(root, path)).toBe(0o600)
    expect((await lstat(pathOf(root, stored))).mode & 0o777).toBe(0o600)
  })

  test('holds after a reopening what it held before', async () => {
    await using first = await open()
    const stored = await putBlob(first.store, 'content')
    await first.store.writeInstallationId('an id')
    await using second = await open(first.root)
    expect(await collectBlob(second.store, stored)).toBe('content')
    expect(await second.store.readInstallationId()).toBe('an id')
  })

  test('lists blobs found by a scan, and passes over what it did not write', async () => {
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

  test('lists on while files vanish under it', async () => {
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

describe('a commit of what a writer of this process left synced', () => {
  test('leaves out what a writer of another process added, before the commit and after it', async () => {
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
    expect((await stat(pathOf(opened.root, stored))).ino).toBe(ino)
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

  test('goes on when garbage follows the recorded bytes', async () => {
    await using opened = await open()
    const stored = storedAs(aKey(), 'onetwo')
    await writeFile(join(opened.root, 'uploads', `${stored.key}.0`), 'onetwo and garbage')
    await opened.store.commit(stored, { generation: 0, segments: [{ generation: 0, size: 6 }] })
    expect(await readFile(pathOf(opened.root, stored), 'utf8')).toBe('onetwo')
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
    await writeFile(pathOf(root, stored), 'onetwo')
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
    await rename(join(opened.root, 'uploads', `${stored.key}.0`), pathOf(opened.root, stored))
    await opened.store.commit(stored, { generation: 0, segments: [{ generation: 0, size: 3 }] })
    expect(await collectBlob(opened.store, stored)).toBe('one')
  })

  test('leaves what delete removes, half written joins included', async () => {
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

describe('a folder that is gone', () => {
  test('is a store that is away, not a blob that is lost', async () => {
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

  test('are what a folder gives that takes the place of the store, until the store is back', async () => {
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
      await expect(attempt()).rejects.toThrow('no longer is the blob store that was opened')
    expect(await readdir(join(root, 'uploads'))).toEqual([`${key}.0`])
    await rename(root, `${root}-mount-point`)
    await rename(`${root}-volume`, root)
    expect(await collectBlob(store, stored)).toBe('content')
    await store.ping()
  })

  test('stop the opening of a store whose root is no folder', async () => {
    const root = join(folder.path, aKey())
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

describe('copies', () => {
  test('end with BlobMissing when the file lost bytes after it was opened', async () => {
    await using opened = await open()
    const stored = await putBlob(opened.store, Buffer.alloc(500_000))
    await using reader = await opened.store.open(stored)
    await truncate(pathOf(opened.root, stored), 200_000)
    const sink = new CollectingSink()
    await expect(reader.copyTo(sink, {})).rejects.toThrow(BlobMissing)
    expect(sink.bytes.length).toBeLessThanOrEqual(200_000)
    expect(opened.buffers.lentBytes).toBe(0)
  })

  test('give their buffers back when they end, fail or are aborted', async () => {
    await using opened = await open()
    await using reader = await opened.store.open(await putBlob(opened.store, Buffer.alloc(5_000_000)))
    await reader.copyTo(new CollectingSink(), {})
    expect(opened.buffers.lentBytes).toBe(0)
    await expect(reader.copyTo({ write: () => Promise.reject(new Error('gone')) }, {})).rejects.toThrow(
      'gone',
    )
    expect(opened.buffers.lentBytes).toBe(0)
    const controller = new AbortController()
    const copy = reader.copyTo(
      {
        write: () => {
          controller.abort(new Error('enough'))
          return new Promise<never>(() => undefined)
        },
      },
      { signal: controller.signal },
    )
    await expect(copy).rejects.toThrow('enough')
    expect(opened.buffers.lentBytes).toBe(0)
  })

  test('that a peer does not drain hold two small buffers each, whatever the blob weighs', async () => {
    await using opened = await open()
    const { store, buffers } = opened
    const stored = await putBlob(store, Buffer.alloc(8_000_000))
    const controller = new AbortController()
    const waiting = Array.from({ length: 100 }, () => Promise.withResolvers<void>())
    const copies = waiting.map(async ({ resolve }) => {
      await using reader = await store.open(stored)
      const write = (): Promise<void> => {
        resolve()
        return new Promise<never>(() => undefined)
      }
      await reader.copyTo({ write }, { signal: controller.signal })
    })
    await Promise.all(waiting.map(({ promise }) => promise))
    expect(buffers.lentBytes).toBe(100 * 2 * buffers.smallBytes)
    controller.abort(new Error('enough'))
    await Promise.allSettled(copies)
    expect(buffers.lentBytes).toBe(0)
  })

  test('that drain quickly take large buffers within the budget of the pool', async () => {
    const root = join(folder.path, aKey())
    const budgetBytes = 4 * 1024 * 1024
    const buffers = new BufferPool({ smallBytes: 8192, largeBytes: 524_288, budgetBytes, maxIdleBytes: 0 })
    // A clock that stands still makes every write a quick one, whatever becomes of the time of day.
    const monotonic = { now: () => 0 }
    let time = 0
    const clock = { now: () => (time += 3_600_000) }
    await using store = await openFilesystemBlobStore({ root, buffers, clock, monotonic, ids: systemIds })
    const stored = await putBlob(store, Buffer.alloc(4_000_000))
    let peak = 0
    let largest = 0
    const copies = Array.from({ length: 100 }, async () => {
      await using reader = await store.open(stored)
      const write = async (bytes: Uint8Array): Promise<void> => {
        peak = Math.max(peak, buffers.lentBytes)
        largest = Math.max(largest, bytes.byteLength)
      }
      await reader.copyTo({ write }, {})
    })
    await Promise.all(copies)
    expect(largest).toBe(524_288)
    expect(peak).toBeLessThanOrEqual(budgetBytes + 100 * 2 * 8192)
    expect(buffers.lentBytes).toBe(0)
  })

  test('to a peer that turns slow go back to small buffers', async () => {
    const root = join(folder.path, aKey())
    const buffers = new BufferPool()
    let now = 0
    await using store = await openFilesystemBlobStore({
      root,
      buffers,
      clock: { now: () => 0 },
      monotonic: { now: () => now },
      ids: systemIds,
    })
    await using reader = await store.open(await putBlob(store, Buffer.alloc(16_000_000)))
    const sizes: string[] = []
    const write = async (bytes: Uint8Array): Promise<void> => {
      const isLarge = bytes.byteLength > buffers.smallBytes
      sizes.push(isLarge ? 'L' : 's')
      if (isLarge) now += 1000
    }
    await reader.copyTo({ write }, {})
    // Both reads in flight grow before the first slow write is seen; then both shrink.
    expect(sizes.join('')).toMatch(/^s+LLs/)
    expect(sizes.join('')).not.toMatch(/LLL/)
  })
})

async function modeOf(root: string, path: string): Promise<number> {
  return (await lstat(join(root, path))).mode & 0o777
}
