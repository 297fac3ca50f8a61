/** Looks at the bytes of the blobs that a manifest names, outside every transaction. */
import { findBlob, listBlobLocations, type BlobLocation } from '../../metadata/content/blobs.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { Digest } from '../../oci/digest.ts'
import type { BlobHealth } from '../blob-health.ts'

/** Rows of one query, and looks at the store in a row of batches: a manifest may name tens of thousands. */
const rowsAtOnce = 500
const looksAtOnce = 8

/**
 * Returns the digests whose bytes are missing or have another size; those without a row are not among them. Content that
 * this process stored or looked at lately is not looked at again, so the manifest of a push costs nothing here.
 */
export async function listDamagedBlobs(
  deps: { readonly metadata: Metadata; readonly health: BlobHealth },
  digests: readonly Digest[],
): Promise<Digest[]> {
  const { health, metadata } = deps
  const unseen = digests.filter((digest) => !health.wasIntactLately(digest))
  const damaged: Digest[] = []
  for (let start = 0; start < unseen.length; start += rowsAtOnce) {
    const locations = await listBlobLocations(metadata.reader, unseen.slice(start, start + rowsAtOnce))
    for (let first = 0; first < locations.length; first += looksAtOnce) {
      const batch = locations.slice(first, first + looksAtOnce)
      const isDamaged = await Promise.all(batch.map((location) => isDamagedBlob(deps, location)))
      damaged.push(...batch.filter((_, index) => isDamaged[index]).map(({ digest }) => digest))
    }
  }
  return damaged
}

async function isDamagedBlob(
  { metadata, health }: { readonly metadata: Metadata; readonly health: BlobHealth },
  location: BlobLocation,
): Promise<boolean> {
  const found = await health.inspect(() => findBlob(metadata.reader, location.digest), location)
  return found?.isIntact === false
}
