/**
 * @module The registry: one service per noun of the spec (blobs, uploads, manifests, tags, referrers, catalog). It deals in
 * repositories, digests and callers; it knows neither HTTP above nor disks, S3 or SQL below. The gate in `edge/`
 * decides on rights before a service is called; only `push-rights.ts` decides, within the transaction of a push, which kinds of
 * changes it may make. Used by `http/` and `jobs/`.
 */
import type { BlobStore } from '../blob-store/blob-store.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Timers } from '../lib/timers.ts'
import type { AuditTrail } from '../metadata/audit/audit-trail.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { UploadLives } from '../metadata/content/upload-ceiling.ts'
import { BlobHealth, type BlobHealthDeps } from './blob-health.ts'
import { createBlobs, type Blobs } from './blobs.ts'
import type { RegistryPolicy } from './caller.ts'
import { createCatalog, type Catalog } from './catalog.ts'
import { createManifests } from './manifests/manifests.ts'
import type { ManifestDeps, Manifests } from './manifests/manifest-types.ts'
import { createReferrers, type Referrers } from './referrers.ts'
import { createTags, type Tags } from './tags.ts'
import type { HashThreads } from './uploads/hash-threads.ts'
import { createUploads } from './uploads/uploads.ts'
import type { Uploads } from './uploads/upload-types.ts'

export interface Registry {
  readonly blobs: Blobs
  readonly uploads: Uploads
  readonly manifests: Manifests
  readonly tags: Tags
  readonly referrers: Referrers
  readonly catalog: Catalog
}

export interface RegistryDeps {
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
  /** A clock that never jumps, for durations within the process. */
  readonly monotonic: Clock
  readonly timers: Timers
  readonly ids: Ids
  readonly policy: RegistryPolicy
  readonly audit: AuditTrail
  readonly hashThreads: HashThreads
  /** Called when a transaction left bytes to remove; the registry itself never deletes bytes. */
  readonly onDeadKey: () => void
  readonly deleteEnabled: boolean
  readonly references: ManifestDeps['references']
  readonly maxSessions: number
  readonly lives: UploadLives
  readonly takeoverMs: number
  /** Called each time a request finds content whose row exists but whose bytes do not. */
  readonly onDamage: BlobHealthDeps['onDamage']
}

export function createRegistry(given: RegistryDeps): Registry {
  const deps = { ...given, health: new BlobHealth(given) }
  return {
    blobs: createBlobs(deps),
    uploads: createUploads(deps),
    manifests: createManifests(deps),
    tags: createTags(deps.metadata),
    referrers: createReferrers(deps.metadata),
    catalog: createCatalog(deps),
  }
}
