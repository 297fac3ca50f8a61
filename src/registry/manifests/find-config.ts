/** Finds an image's config blob for its searchable properties, up to a maximum size and outside of any transaction. */
import type { BlobStore } from '../../blob-store/blob-store.ts'
import { BlobMissing } from '../../blob-store/errors.ts'
import { findLinkedBlob } from '../../metadata/content/blobs.ts'
import type { BlobLocation } from '../../metadata/content/blobs.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'

/** Real configs are a few KiB; a larger one is stored and served like any blob, but is not searchable. */
const maxConfigBytes = 1024 * 1024

/** A config whose bytes are not read yet. */
export interface FoundConfig {
  readonly size: number
  /** `undefined` when the bytes are damaged: the manifest is accepted or refused without them. */
  read(): Promise<Uint8Array | undefined>
}

/** Returns `undefined` when the config is not in this repository, or is too large. */
export async function findConfig(
  deps: { metadata: Metadata; store: BlobStore },
  repository: RepositoryName,
  config: Descriptor | undefined,
): Promise<FoundConfig | undefined> {
  if (config === undefined || config.size > maxConfigBytes) return undefined
  const location = await findLinkedBlob(deps.metadata.reader, repository, config.digest)
  if (location === undefined || location.size > maxConfigBytes) return undefined
  return { size: location.size, read: () => readBlob(deps.store, location) }
}

async function readBlob(
  store: BlobStore,
  { storageKey: key, digest, size }: BlobLocation,
): Promise<Uint8Array | undefined> {
  try {
    await using reader = await store.open({ key, digest })
    if (reader.size !== size) return undefined
    if (reader.bytes !== undefined) return reader.bytes
    const chunks: Uint8Array[] = []
    // The buffer belongs to the store after each write: keep a copy.
    await reader.copyTo({ write: async (bytes) => void chunks.push(Uint8Array.from(bytes)) }, {})
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof BlobMissing) return undefined
    throw error
  }
}
