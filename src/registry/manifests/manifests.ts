/**
 * The manifests of a repository: found by tag or digest in one query, stored byte for byte, pushed and deleted in one transaction
 * each. Only the bytes of a digest come from a memory cache. Whether a manifest exists in the repository, its tag and its media
 * type always come from the database, so that a pull from any process sees every push that was acknowledged before it.
 */
import { Lru } from '../../lib/memory/lru.ts'
import { findManifest, findManifestContent, findManifestSize } from '../../metadata/content/manifests.ts'
import type { FoundManifest } from '../../metadata/content/manifests.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { findRepository } from '../../metadata/repositories/repositories.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Reference } from '../../oci/reference.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { ManifestUnknownError } from '../errors.ts'
import { ColdReads } from './cold-reads.ts'
import { deleteManifestOrTag } from './delete-manifest.ts'
import { ManifestParser } from './manifest-parser.ts'
import { putManifest } from './put-manifest.ts'
import type { ManifestDeps, Manifests } from './manifest-types.ts'

const manifestCacheBytes = 64 * 1024 * 1024

export function createManifests(deps: ManifestDeps): Manifests {
  const contents = new Lru<Digest, Uint8Array>({ maxBytes: manifestCacheBytes })
  const { reader: database } = deps.metadata
  const parser = new ManifestParser()
  const coldReads = new ColdReads({
    async read({ digest, size }) {
      // Another read may have cached it while this one waited for its turn.
      const kept = contents.peek(digest)
      if (kept !== undefined) return kept
      const bytes = await findManifestContent(database, digest)
      if (bytes?.length === size) contents.set(digest, bytes, size)
      return bytes
    },
  })
  return {
    async find(repository, reference) {
      const found = await getFound(deps.metadata, repository, reference)
      const { digest, size } = found
      if (deps.health.wasIntactLately(digest)) return found
      const foundBytes = await findManifestSize(database, digest)
      if (foundBytes !== size) throw await withoutContent(deps, { repository, reference, found, foundBytes })
      deps.health.noteIntact(digest)
      return found
    },
    async get(repository, reference, reader) {
      const found = await getFound(deps.metadata, repository, reference)
      const { digest, mediaType, size } = found
      const cached = contents.get(digest)
      if (cached !== undefined) return { digest, mediaType, size, bytes: cached }
      await reader.reserve(size)
      const bytes = await coldReads.read({ digest, size }, reader)
      if (bytes?.length !== size) {
        throw await withoutContent(deps, { repository, reference, found, foundBytes: bytes?.length })
      }
      return { digest, mediaType, size, bytes }
    },
    put: (request) => putManifest({ ...deps, parser }, request),
    delete: (request) => deleteManifestOrTag(deps, request),
    cacheStats: () => contents.stats(),
  }
}

interface WithoutContent {
  readonly repository: RepositoryName
  readonly reference: Reference
  readonly found: FoundManifest
  readonly foundBytes: number | undefined
}

/**
 * The content was deleted between two queries, or is damaged: to clients it is unknown in both cases, and pushing it again
 * restores the bytes.
 */
async function withoutContent(deps: ManifestDeps, damage: WithoutContent): Promise<ManifestUnknownError> {
  const { repository, reference, found, foundBytes } = damage
  const again = await findManifest(deps.metadata.reader, repository, reference)
  if (again?.digest === found.digest) {
    deps.health.report({ kind: 'manifest', digest: found.digest, expectedBytes: found.size, foundBytes })
  }
  return new ManifestUnknownError(repository, reference)
}

async function getFound(
  metadata: Metadata,
  repository: RepositoryName,
  reference: Reference,
): Promise<FoundManifest> {
  const found = await findManifest(metadata.reader, repository, reference)
  if (found !== undefined) return found
  const known = await findRepository(metadata.reader, repository)
  throw new ManifestUnknownError(repository, reference, { isRepositoryKnown: known !== undefined })
}
