/** Tests copies of blobs to a peer, and the buffers that they use. */
import { truncate } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { blobFileOf, useFileStores } from '../../../../test/support/parts/file-stores.ts'
import { BufferPool } from '../../../lib/memory/buffer-pool.ts'
import { systemIds } from '../../../lib/ids.ts'
import { CollectingSink, putBlob } from '../../contract/support.ts'
import { BlobMissing } from '../../errors.ts'
import { openFilesystemBlobStore } from '../filesystem-blob-store.ts'

const { open, newRoot } = useFileStores()

describe('copies', () => {
  test('end with BlobMissing when the file lost bytes after it was opened', async () => {
    await using opened = await open()
    const stored = await putBlob(opened.store, Buffer.alloc(500_000))
    await using reader = await opened.store.open(stored)
    await truncate(blobFileOf(opened.root, stored), 200_000)
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

  test('that a peer does not drain use two small buffers each, regardless of the size of the blob', async () => {
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
    const root = newRoot()
    const budgetBytes = 4 * 1024 * 1024
    const buffers = new BufferPool({ smallBytes: 8192, largeBytes: 524_288, budgetBytes, maxIdleBytes: 0 })
    // With a stopped clock, every write counts as fast.
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

  test('to a peer that becomes slow return to small buffers', async () => {
    const root = newRoot()
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
    // Both reads in progress use large buffers before the first slow write is seen; then both shrink.
    expect(sizes.join('')).toMatch(/^s+LLs/)
    expect(sizes.join('')).not.toMatch(/LLL/)
  })
})
