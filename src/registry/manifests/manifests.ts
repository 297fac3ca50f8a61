/**
 * Manifests of a repository: found by tag or digest in one query, stored byte for byte, pushed and deleted in one
 * transaction each. Only bytes by digest come from a memory cache; that a manifest exists here, under which tag and
 * media type, is always asked of the database, so that a pull anywhere sees what was acknowledged before it.
 */
import { Lru } from '../../lib/lru.ts'
import { findManifest, findManifestContent } from '../../metadata/manifests.ts'
import type { FoundManifest } from '../../metadata/manifests.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { findRepository } from '../../metadata/repositories.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Reference } from '../../oci/reference.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { ManifestUnknownError, RepositoryUnknownError } from '../errors.ts'
import { ColdReads } from './cold-reads.ts'
import { deleteManifestOrTag } from './delete-manifest.ts'
import { putManifest } from './put-manifest.ts'
import type { ManifestDeps, Manifests } from './manifest-types.ts'

const manifestCacheBytes = 64 * 1024 * 1024

export function createManifests(deps: ManifestDeps): Manifests {
  const contents = new Lru<Digest, Uint8Array>({ maxBytes: manifestCacheBytes })
  const coldReads = new ColdReads({
    async read(digest) {
      // It may have come while this read waited for its turn.
      const kept = contents.peek(digest)
      if (kept !== undefined) return kept
      const bytes = await findManifestContent(deps.metadata.reader, digest)
      if (bytes !== undefined) contents.set(digest, bytes, bytes.length)
      return bytes
    },
  })
  return {
    find: (repository, reference) => getFound(deps.metadata, repository, reference),
    async get(repository, reference, reader) {
      const { digest, mediaType, size } = await getFound(deps.metadata, repository, reference)
      const cached = contents.get(digest)
      if (cached !== undefined) return { digest, mediaType, size, bytes: cached }
      await reader.reserve(size)
      const bytes = await coldReads.read({ digest, size }, reader)
      // Deleted between the two queries: gone is the right answer.
      if (bytes === undefined) throw new ManifestUnknownError(repository, reference)
      return { digest, mediaType, size, bytes }
    },
    put: (request) => putManifest(deps, request),
    delete: (request) => deleteManifestOrTag(deps, request),
    cacheStats: () => contents.stats(),
  }
}

async function getFound(
  metadata: Metadata,
  repository: RepositoryName,
  reference: Reference,
): Promise<FoundManifest> {
  const found = await findManifest(metadata.reader, repository, reference)
  if (found !== undefined) return found
  const known = await findRepository(metadata.reader, repository)
  throw known === undefined
    ? new RepositoryUnknownError(repository)
    : new ManifestUnknownError(repository, reference)
}
