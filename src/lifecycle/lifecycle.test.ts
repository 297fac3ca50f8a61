import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyOf, caller, openRegistry, type OpenRegistry } from '../../test/support/parts/open-registry.ts'
import { listDeadKeys } from '../metadata/contract/list-dead-keys.ts'
import { findBlob } from '../metadata/content/blobs.ts'
import { digestBytes, type Digest } from '../oci/digest.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import { collectBlobs } from './collect-blobs.ts'
import { expireUploads } from './expire-uploads.ts'
import { removeDeadKeys } from './remove-dead-keys.ts'
import { sweepStore } from './sweep-store.ts'

const repository = parseRepositoryName('acme/web')
const other = parseRepositoryName('acme/other')
const { signal } = new AbortController()
const hourMs = 3_600_000
const hourLives = { withBytesMs: hourMs, emptyMs: hourMs }

async function storedKeys(open: OpenRegistry): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of open.store.list()) keys.push(key)
  return keys
}

async function pushBlob(open: OpenRegistry, bytes = randomBytes(500)): Promise<Digest> {
  const digest = digestBytes(bytes)
  await open.registry.uploads.push({ repository, caller, digest, body: bodyOf([bytes]), signal })
  return digest
}

describe('expiry of upload sessions', () => {
  test('ends sessions that received nothing for the whole time, and removes their bytes', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const idle = await uploads.start({ repository, caller })
    await uploads.append({ repository, id: idle.id, caller, body: bodyOf([Buffer.from('abc')]), signal })
    open.clock.advance(hourMs)
    const fresh = await uploads.start({ repository, caller })
    open.clock.advance(1)
    expect(await expireUploads(open, hourLives, signal)).toBe(1)
    await expect(uploads.status({ repository, id: idle.id, caller })).rejects.toMatchObject({
      code: 'BLOB_UPLOAD_UNKNOWN',
    })
    expect(await uploads.status({ repository, id: fresh.id, caller })).toMatchObject({ offset: 0 })
    expect(await removeDeadKeys(open, signal)).toBe(1)
    expect(await storedKeys(open)).toEqual([])
  })

  test('counts from the last byte', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const { id } = await uploads.start({ repository, caller })
    open.clock.advance(hourMs - 1)
    await uploads.append({ repository, id, caller, body: bodyOf([Buffer.from('abc')]), signal })
    open.clock.advance(hourMs - 1)
    expect(await expireUploads(open, hourLives, signal)).toBe(0)
  })

  test('also ends sessions that received bytes while the clock was a year ahead', async () => {
    await using open = await openRegistry()
    const yearMs = 365 * 24 * hourMs
    open.clock.advance(yearMs)
    await open.registry.uploads.start({ repository, caller })
    open.clock.advance(-yearMs)
    expect(await expireUploads(open, hourLives, signal)).toBe(0)
    open.clock.advance(hourMs + 1)
    expect(await expireUploads(open, hourLives, signal)).toBe(1)
  })
})

describe('collection of blobs', () => {
  test('collects only blobs that no repository links, after the grace period', async () => {
    await using open = await openRegistry()
    const kept = await pushBlob(open)
    const shared = await pushBlob(open)
    const dropped = await pushBlob(open)
    await open.registry.blobs.mount({ repository: other, digest: shared, caller })
    await open.registry.blobs.delete(repository, shared, caller)
    await open.registry.blobs.delete(repository, dropped, caller)
    expect(await collectBlobs(open, hourMs, signal)).toBe(0)
    open.clock.advance(hourMs + 1)
    expect(await collectBlobs(open, hourMs, signal)).toBe(1)
    expect(await findBlob(open.metadata.reader, dropped)).toBeUndefined()
    await removeDeadKeys(open, signal)
    expect(await storedKeys(open)).toHaveLength(2)
    await using blob = await open.registry.blobs.open(other, shared)
    expect(blob.digest).toBe(shared)
    expect(await open.registry.blobs.stat(repository, kept)).toMatchObject({ digest: kept })
  })

  test('F1: lets the same content be pushed again under a new key', async () => {
    await using open = await openRegistry()
    const bytes = randomBytes(500)
    const digest = await pushBlob(open, bytes)
    await open.registry.blobs.delete(repository, digest, caller)
    open.clock.advance(2)
    expect(await collectBlobs(open, 1, signal)).toBe(1)
    await pushBlob(open, bytes)
    expect(await listDeadKeys(open.metadata.reader, { limit: 10 })).toHaveLength(1)
    await removeDeadKeys(open, signal)
    await using blob = await open.registry.blobs.open(repository, digest)
    expect(blob.size).toBe(500)
  })
})

describe('the sweep of the store', () => {
  test('removes bytes that no row names, and only once they are old', async () => {
    await using open = await openRegistry()
    await pushBlob(open)
    const { id } = await open.registry.uploads.start({ repository, caller })
    const body = bodyOf([Buffer.from('abc')])
    await open.registry.uploads.append({ repository, id, caller, body, signal })
    const lost = 'f'.repeat(32)
    {
      await using writer = await open.store.openSegment(lost, { generation: 1, offset: 0 })
      await writer.write(Buffer.from('left behind by a crash'))
      await writer.sync()
    }
    expect(await sweepStore(open, hourMs, signal)).toBe(0)
    open.clock.advance(hourMs + 1)
    expect(await sweepStore(open, hourMs, signal)).toBe(1)
    const keys = await storedKeys(open)
    expect(keys).toHaveLength(2)
    expect(keys).not.toContain(lost)
  })

  test('removes bytes that a stale writer left after its session became a blob, and keeps the blob', async () => {
    await using open = await openRegistry()
    const digest = await pushBlob(open)
    const [key = ''] = await storedKeys(open)
    {
      await using writer = await open.store.openSegment(key, { generation: 7, offset: 0 })
      await writer.write(Buffer.from('too late'))
      await writer.sync()
    }
    open.clock.advance(hourMs + 1)
    expect(await sweepStore(open, hourMs, signal)).toBe(1)
    expect(await storedKeys(open)).toEqual([key])
    await using blob = await open.registry.blobs.open(repository, digest)
    expect(blob.size).toBe(500)
  })
})
