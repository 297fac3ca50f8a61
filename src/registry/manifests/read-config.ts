/** Reads an image's config blob for its searchable properties: bounded, and outside every transaction. */
import type { BlobStore } from '../../blob-store/blob-store.ts'
import { BlobMissing } from '../../blob-store/errors.ts'
import { findLinkedBlob } from '../../metadata/blobs.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'

/** Real configs are a few KiB; a larger one is stored and served like any blob, only not searched. */
const maxConfigBytes = 1024 * 1024

/** `undefined` when there is no config here, a damaged one or one too large: the manifest is accepted or refused without it. */
export async function readConfig(
  deps: { metadata: Metadata; store: BlobStore },
  repository: RepositoryName,
  config: Descriptor | undefined,
): Promise<Uint8Array | undefined> {
  if (config === undefined || config.size > maxConfigBytes) return undefined
  const location = await findLinkedBlob(deps.metadata.reader, repository, config.digest)
  if (location === undefined || location.size > maxConfigBytes) return undefined
  try {
    await using reader = await deps.store.open({ key: location.storageKey, digest: location.digest })
    if (reader.size !== location.size) return undefined
    if (reader.bytes !== undefined) return reader.bytes
    const chunks: Uint8Array[] = []
    // The buffer returns to the store after each write: keep a copy.
    await reader.copyTo({ write: async (bytes) => void chunks.push(Uint8Array.from(bytes)) }, {})
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof BlobMissing) return undefined
    throw error
  }
}
