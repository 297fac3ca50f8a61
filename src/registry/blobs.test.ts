import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyOf, caller, openRegistry, type OpenRegistry } from '../../test/support/open-registry.ts'
import { BlobMissing } from '../blob-store/errors.ts'
import { digestBytes, type Digest } from '../oci/digest.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()

async function pushBlob(open: OpenRegistry, bytes = randomBytes(500)): Promise<Digest> {
  const digest = digestBytes(bytes)
  await open.registry.uploads.push({ repository, caller, digest, body: bodyOf([bytes]), signal })
  return digest
}

async function keyOf(open: OpenRegistry): Promise<string> {
  for await (const { key } of open.store.list()) return key
  throw new Error('the store is empty')
}

describe('opening a blob', () => {
  test('fails, and does not serve what is left, when its bytes were cut short', async () => {
    await using open = await openRegistry()
    const digest = await pushBlob(open)
    const key = await keyOf(open)
    await open.store.delete(key, digest)
    {
      await using writer = await open.store.openSegment(key, { generation: 9, offset: 0 })
      await writer.write(Buffer.from('short'))
      await writer.sync()
    }
    await open.store.commit({ key, digest }, { segments: [{ generation: 9, size: 5 }] })
    await expect(open.registry.blobs.open(repository, digest)).rejects.toBeInstanceOf(BlobMissing)
  })

  test('fails as a fault, not as an unknown blob, when the row is there and the bytes are not', async () => {
    await using open = await openRegistry()
    const digest = await pushBlob(open)
    await open.store.delete(await keyOf(open), digest)
    await expect(open.registry.blobs.open(repository, digest)).rejects.toBeInstanceOf(BlobMissing)
    await expect(open.registry.blobs.open(parseRepositoryName('acme/other'), digest)).rejects.toMatchObject({
      code: 'BLOB_UNKNOWN',
    })
  })
})
