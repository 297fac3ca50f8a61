/** Checks that the content named by a manifest is in the manifest's repository and has the size given in its descriptor. */
import { pinLinkedBlobs } from '../../metadata/content/blobs.ts'
import type { Transaction } from '../../metadata/handles.ts'
import { findManifestSizes } from '../../metadata/content/manifests.ts'
import type { Descriptor } from '../../oci/descriptor.ts'
import type { Digest } from '../../oci/digest.ts'
import type { ParsedManifest } from '../../oci/manifest/parse-manifest.ts'
import { isForeignLayer } from '../../oci/media-type.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { DescriptorSizeError, ManifestBlobUnknownError, type WrongSize } from '../errors.ts'
import type { ManifestDeps } from './manifest-types.ts'

export interface References {
  readonly repository: RepositoryName
  readonly repositoryId: number
  /** The digest of the manifest itself. */
  readonly digest: Digest
  readonly parsed: ParsedManifest
  readonly damaged: readonly Digest[]
  readonly now: number
}

/**
 * Throws `ManifestBlobUnknownError` with all missing or damaged content, then `DescriptorSizeError`. The content found stays
 * pinned until the transaction ends.
 */
export async function checkReferences(deps: ManifestDeps, tx: Transaction, put: References): Promise<void> {
  const { repository, repositoryId, parsed, damaged, now } = put
  const blobs = neededBlobs(parsed)
  const digests = digestsOf(blobs)
  const found = await pinLinkedBlobs(tx, { repositoryId, digests, now })
  const childDigests = digestsOf(parsed.children)
  const children = await findManifestSizes(tx, { repositoryId, digests: childDigests })
  const missing: Digest[] = []
  if (deps.references.blobs === 'strict') {
    const unusable = digests.filter((digest) => !found.has(digest))
    missing.push(...new Set([...unusable, ...damaged]))
  }
  if (deps.references.children === 'strict') {
    missing.push(...childDigests.filter((digest) => !children.has(digest)))
  }
  if (missing.length > 0) throw new ManifestBlobUnknownError(repository, missing)
  await checkSizes(tx, put, [...wrongSizes(blobs, found), ...wrongSizes(parsed.children, children)])
}

/**
 * A manifest that the repository already has may be pushed again despite wrong sizes: pushing another tag, or repairing damage,
 * must not fail for a manifest that was accepted before.
 */
async function checkSizes(
  tx: Transaction,
  { repository, repositoryId, digest }: References,
  wrong: readonly WrongSize[],
): Promise<void> {
  if (wrong.length === 0) return
  const known = await findManifestSizes(tx, { repositoryId, digests: [digest] })
  if (!known.has(digest)) throw new DescriptorSizeError(repository, wrong)
}

function wrongSizes(descriptors: readonly Descriptor[], stored: ReadonlyMap<Digest, number>): WrongSize[] {
  return descriptors.flatMap(({ digest, size: given }) => {
    const actual = stored.get(digest)
    return actual === undefined || actual === given ? [] : [{ digest, given, actual }]
  })
}

/**
 * Returns the descriptors of blobs that must be in this repository. Foreign layers are intentionally elsewhere (image-spec,
 * non-distributable layers), and a subject may arrive later or never: neither is checked.
 */
export function neededBlobs(parsed: ParsedManifest): readonly Descriptor[] {
  const config = parsed.config === undefined ? [] : [parsed.config]
  const layers = parsed.layers.filter((layer) => !isForeignLayer(layer.mediaType))
  return [...config, ...layers, ...parsed.blobEntries]
}

/** Returns each digest once, in the order of the descriptors. */
export function digestsOf(descriptors: readonly Descriptor[]): Digest[] {
  return [...new Set(descriptors.map(({ digest }) => digest))]
}
