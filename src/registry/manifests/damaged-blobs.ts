/** Checks the bytes of the blobs that a manifest names, outside of any transaction. */
import { findBlob, listBlobLocations, type BlobLocation } from '../../metadata/content/blobs.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { Digest } from '../../oci/digest.ts'
import type { BlobHealth } from '../blob-health.ts'

/** The rows of one query, and the concurrent checks of the store: a manifest may name tens of thousands of blobs. */
const rowsAtOnce = 500
const checksAtOnce = 8

/**
 * Returns the digests whose bytes are missing or differ in size, except those without a row. Content that this process recently
 * stored or checked is not checked again, so the manifest of a push costs nothing here.
 */
export async function listDamagedBlobs(
  deps: { readonly metadata: Metadata; readonly health: BlobHealth },
  digests: readonly Digest[],
): Promise<Digest[]> {
  const { health, metadata } = deps
  const unchecked = digests.filter((digest) => !health.wasIntactLately(digest))
  const damaged: Digest[] = []
  for (let start = 0; start < unchecked.length; start += rowsAtOnce) {
    const locations = await listBlobLocations(metadata.reader, unchecked.slice(start, start + rowsAtOnce))
    for (let first = 0; first < locations.length; first += checksAtOnce) {
      const batch = locations.slice(first, first + checksAtOnce)
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
