import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyOf, caller, openRegistry, type OpenRegistry } from '../../test/support/parts/open-registry.ts'
import type { BlobStore } from '../blob-store/blob-store.ts'
import { FailingBlobStore, failOn } from '../blob-store/contract/failing-blob-store.ts'
import { writeSegment } from '../blob-store/contract/support.ts'
import { BlobMissing } from '../blob-store/errors.ts'
import { removeDeadKeys } from '../lifecycle/remove-dead-keys.ts'
import { removeUnlinkedBlob } from '../metadata/content/blobs.ts'
import { listDeadKeys } from '../metadata/contract/list-dead-keys.ts'
import { claimUpload } from '../metadata/content/uploads.ts'
import { digestBytes, type Digest } from '../oci/digest.ts'
import { parseRepositoryName, type RepositoryName } from '../oci/repository-name.ts'

const repository = parseRepositoryName('acme/web')
const other = parseRepositoryName('acme/other')
const { signal } = new AbortController()

async function pushBlob(open: OpenRegistry, bytes = randomBytes(500), name = repository): Promise<Digest> {
  const digest = digestBytes(bytes)
  await open.registry.uploads.push({ repository: name, caller, digest, body: bodyOf([bytes]), signal })
  return digest
}

async function keyOf(open: OpenRegistry): Promise<string> {
  for await (const { key } of open.store.list()) return key
  throw new Error('the store is empty')
}

/** Truncates or removes the bytes in the store; the rows stay unchanged. */
async function damage(open: OpenRegistry, digest: Digest, left?: string): Promise<void> {
  const key = await keyOf(open)
  await open.store.delete(key, digest)
  if (left === undefined) return
  const size = await writeSegment(open.store, key, { generation: 9, text: left })
  await open.store.commit({ key, digest }, { generation: 9, segments: [{ generation: 9, size }] })
}

async function read(open: OpenRegistry, name: RepositoryName, digest: Digest): Promise<Buffer> {
  await using blob = await open.registry.blobs.open(name, digest)
  const chunks: Buffer[] = []
  await blob.copyTo({ write: async (bytes) => void chunks.push(Buffer.from(bytes)) }, {})
  return Buffer.concat(chunks)
}

const unknown = { code: 'BLOB_UNKNOWN' }
const cases = [
  { name: 'missing', left: undefined, foundBytes: undefined },
  { name: 'cut short', left: 'short', foundBytes: 5 },
]

describe.each(cases)('a blob whose bytes are $name', ({ left, foundBytes }) => {
  test('is unknown to clients that request it, and reported with its key', async () => {
    await using open = await openRegistry()
    const digest = await pushBlob(open)
    const storageKey = await keyOf(open)
    await damage(open, digest, left)
    await expect(open.registry.blobs.open(repository, digest)).rejects.toMatchObject(unknown)
    await expect(open.registry.blobs.stat(repository, digest)).rejects.toMatchObject(unknown)
    const reported = { kind: 'blob', digest, storageKey, expectedBytes: 500, foundBytes }
    expect(open.damage).toEqual([reported, reported])
  })

  test('is replaced by a push, for every repository, and its old key is removed', async () => {
    await using open = await openRegistry()
    const bytes = randomBytes(500)
    const digest = await pushBlob(open, bytes)
    await open.registry.blobs.mount({ repository: other, digest, caller })
    const damagedKey = await keyOf(open)
    await damage(open, digest, left)
    await pushBlob(open, bytes)
    expect(await read(open, repository, digest)).toEqual(bytes)
    expect(await read(open, other, digest)).toEqual(bytes)
    expect(await open.registry.blobs.stat(other, digest)).toEqual({ digest, size: 500 })
    expect(open.deadKeys()).toBe(1)
    expect(await listDeadKeys(open.metadata.reader, { limit: 9 })).toEqual([
      { storageKey: damagedKey, digest },
    ])
    await removeDeadKeys(open, signal)
    expect(await read(open, repository, digest)).toEqual(bytes)
  })

  test('is replaced once by concurrent pushes, and each of them succeeds', async () => {
    await using open = await openRegistry()
    const bytes = randomBytes(500)
    const digest = await pushBlob(open, bytes)
    await damage(open, digest, left)
    const names = Array.from({ length: 8 }, (_, index) => parseRepositoryName(`acme/copy-${index}`))
    await Promise.all(names.map((name) => pushBlob(open, bytes, name)))
    await removeDeadKeys(open, signal)
    for (const name of [repository, ...names]) expect(await read(open, name, digest)).toEqual(bytes)
    expect(await Array.fromAsync(open.store.list())).toHaveLength(1)
  })

  test('is replaced by a session that was taken over, whose bytes the store copies', async () => {
    await using open = await openRegistry()
    const bytes = randomBytes(500)
    const digest = await pushBlob(open, bytes)
    await damage(open, digest, left)
    const { uploads } = open.registry
    const { id } = await uploads.start({ repository, caller })
    await uploads.append({ repository, id, caller, body: bodyOf([bytes.subarray(0, 100)]), signal })
    await open.metadata.transact((tx) => claimUpload(tx, { id, writer: 'elsewhere', now: 0 }))
    await uploads.append({ repository, id, caller, body: bodyOf([bytes.subarray(100)]), signal })
    await uploads.commit({ repository, id, caller, digest, signal })
    expect(await read(open, repository, digest)).toEqual(bytes)
  })

  test('stays readable for an open reader while it is replaced and its old key removed', async () => {
    await using open = await openRegistry()
    const bytes = randomBytes(500)
    const digest = await pushBlob(open, bytes)
    await using reader = await open.registry.blobs.open(repository, digest)
    await damage(open, digest, left)
    await pushBlob(open, bytes)
    await removeDeadKeys(open, signal)
    const chunks: Buffer[] = []
    await reader.copyTo({ write: async (part) => void chunks.push(Buffer.from(part)) }, {})
    expect(Buffer.concat(chunks)).toEqual(bytes)
  })

  test('is not mounted', async () => {
    await using open = await openRegistry()
    const digest = await pushBlob(open)
    await damage(open, digest, left)
    for (const from of [undefined, repository]) {
      expect(await open.registry.blobs.mount({ repository: other, from, digest, caller })).toBe(false)
    }
    await expect(open.registry.blobs.stat(other, digest)).rejects.toMatchObject(unknown)
  })
})

describe('a blob that is collected and pushed again while it is requested', () => {
  test('is served from its new key and not reported', async () => {
    const bytes = randomBytes(500)
    let beforeStat: (() => Promise<void>) | undefined
    const wrapStore = (store: BlobStore): BlobStore =>
      new FailingBlobStore(store, ({ operation }) => {
        if (operation !== 'stat' || beforeStat === undefined) return undefined
        const work = beforeStat
        beforeStat = undefined
        return { kind: 'wait', until: work() }
      })
    await using open = await openRegistry({ wrapStore })
    const digest = await pushBlob(open, bytes)
    beforeStat = async () => {
      await open.registry.blobs.delete(repository, digest, caller)
      await open.metadata.transact((tx) => removeUnlinkedBlob(tx, { digest, now: 0 }))
      await removeDeadKeys(open, signal)
      await pushBlob(open, bytes)
    }
    expect(await open.registry.blobs.stat(repository, digest)).toEqual({ digest, size: 500 })
    expect(open.damage).toEqual([])
  })
})

describe('a blob that ends while it is sent', () => {
  test('breaks off and is reported', async () => {
    const missing = new BlobMissing('a key')
    await using open = await openRegistry({
      wrapStore: (store) => new FailingBlobStore(store, failOn('copy', missing)),
    })
    const digest = await pushBlob(open)
    await using blob = await open.registry.blobs.open(repository, digest)
    await expect(blob.copyTo({ write: async () => undefined }, {})).rejects.toBe(missing)
    expect(open.damage).toMatchObject([{ digest, expectedBytes: 500, foundBytes: undefined }])
  })
})
