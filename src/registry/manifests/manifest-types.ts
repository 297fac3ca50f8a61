/** The types of the manifest service: requests, answers, dependencies. */
import type { BlobStore } from '../../blob-store/blob-store.ts'
import type { Clock } from '../../lib/clock.ts'
import type { LruStats } from '../../lib/memory/lru.ts'
import type { AuditTrail } from '../../metadata/audit/audit-trail.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Reference } from '../../oci/reference.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { TagName } from '../../oci/tag-name.ts'
import type { BlobHealth } from '../blob-health.ts'
import type { Caller, RegistryPolicy } from '../caller.ts'
import type { TagCondition } from './tag-condition.ts'

export interface ManifestInfo {
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
}

/** The request that content is read for. */
export interface ContentReader {
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal
  /** Resolves when there is memory for this many bytes of a reply. */
  reserve(bytes: number): Promise<void>
}

export interface PutManifestRequest {
  readonly repository: RepositoryName
  readonly reference: Reference
  /** From `?tag=`, only together with a digest reference (distribution-spec end-7b). */
  readonly tags: readonly TagName[]
  readonly bytes: Uint8Array
  readonly contentType: string | undefined
  readonly condition?: TagCondition | undefined
  readonly caller: Caller
}

export interface PutManifestResult {
  readonly digest: Digest
  readonly subject: Digest | undefined
  readonly tags: readonly TagName[]
  /** Bytes of the manifest with its config and its layers; for an index, without those of the manifests that it lists. */
  readonly size: number
}

export interface DeleteManifestRequest {
  readonly repository: RepositoryName
  readonly reference: Reference
  readonly condition?: TagCondition | undefined
  readonly caller: Caller
}

export interface Manifests {
  /** Throws `ManifestUnknownError`. */
  find(repository: RepositoryName, reference: Reference): Promise<ManifestInfo>
  /** Throws like `find`, and errors of the reader while content that is not in memory waits for its turn. */
  get(
    repository: RepositoryName,
    reference: Reference,
    reader: ContentReader,
  ): Promise<ManifestInfo & { readonly bytes: Uint8Array }>
  /** Throws `ManifestInvalidError`, `ManifestBlobUnknownError`, `DigestMismatchError`, `PreconditionFailedError`. */
  put(request: PutManifestRequest): Promise<PutManifestResult>
  /** Deletes the tag, or for a digest the manifest and all its tags. Throws like `find`, and `DeleteDisabledError`. */
  delete(request: DeleteManifestRequest): Promise<void>
  /** Returns the statistics of the memory cache of manifests. */
  cacheStats(): LruStats
}

export interface ManifestDeps {
  readonly health: BlobHealth
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
  readonly policy: RegistryPolicy
  readonly audit: AuditTrail
  readonly deleteEnabled: boolean
  readonly references: { readonly blobs: 'strict' | 'lenient'; readonly children: 'strict' | 'lenient' }
}
