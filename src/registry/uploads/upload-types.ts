/** The types of the upload service: requests, answers, dependencies. */
import type { BlobStore } from '../../blob-store/blob-store.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Timers } from '../../lib/timers.ts'
import type { AuditTrail } from '../../metadata/audit/audit-trail.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import type { UploadLives } from '../../metadata/content/upload-ceiling.ts'
import type { Digest, DigestAlgorithm } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { BlobHealth } from '../blob-health.ts'
import type { Caller, RegistryPolicy } from '../caller.ts'
import type { HashThreads } from './hash-threads.ts'

export interface UploadDeps {
  readonly health: BlobHealth
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
  readonly timers: Timers
  readonly ids: Ids
  readonly policy: RegistryPolicy
  readonly audit: AuditTrail
  readonly hashThreads: HashThreads
  /** Called after a commit that left bytes to remove, so that the job that removes them runs before its next hourly run. */
  readonly onDeadKey: () => void
  /** The most open sessions of one principal, or of one address of anonymous clients. */
  readonly maxSessions: number
  readonly lives: UploadLives
  /** How long a newcomer waits for the holder of a session to release it. */
  readonly takeoverMs: number
}

export interface SessionRequest {
  readonly repository: RepositoryName
  readonly id: string
  readonly caller: Caller
}

export interface BodyRequest {
  readonly body: AsyncIterable<Uint8Array>
  /** The offset of the first byte, from Content-Range. */
  readonly start?: number | undefined
  /** The announced bytes of the body: from Content-Range, or else from Content-Length. */
  readonly length?: number | undefined
  /** The Content-Length of a body with a Content-Range; the two must agree. */
  readonly contentLength?: number | undefined
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal
}

export interface StartRequest {
  readonly repository: RepositoryName
  readonly caller: Caller
  readonly algorithm?: DigestAlgorithm | undefined
}

export type AppendRequest = SessionRequest & BodyRequest
export type CommitRequest = SessionRequest &
  Partial<BodyRequest> & { readonly digest: Digest; readonly signal: AbortSignal }
export type PushRequest = StartRequest & BodyRequest & { readonly digest: Digest }

export interface UploadStatus {
  readonly id: string
  /** The bytes that the session has received. */
  readonly offset: number
}

export interface CommittedBlob {
  readonly digest: Digest
  readonly size: number
}

/** Upload sessions (distribution-spec end-4 to end-6, end-11, end-13, end-14). */
export interface Uploads {
  /** Starts a session. At the ceiling the oldest session without a byte ends; throws `TooManyUploadsError` if all are in use. */
  start(request: StartRequest): Promise<UploadStatus>
  /**
   * Returns how many bytes the session has received; the next PATCH continues there. A body that is arriving is ended with
   * `UploadOutOfOrderError`, and its received bytes are included. Throws `UploadUnknownError`.
   */
  status(request: SessionRequest): Promise<UploadStatus>
  /**
   * Appends a chunk or a stream. Throws, in this order, `UploadUnknownError`, then `UploadOutOfOrderError` and `ChunkLengthError`
   * before the body is read, then `SizeInvalidError`. When the body breaks off, the bytes that arrived are kept and reported by
   * `status`.
   */
  append(request: AppendRequest): Promise<UploadStatus>
  /**
   * Ends the session with a blob. If the session no longer exists, returns the blob if the repository has it. A digest mismatch
   * also ends the session, with `DigestMismatchError`.
   */
  commit(request: CommitRequest): Promise<CommittedBlob>
  /** Pushes a whole blob in one request, which counts against no ceiling; a failure leaves no session behind. */
  push(request: PushRequest): Promise<CommittedBlob>
  /** Throws `UploadUnknownError`. */
  cancel(request: SessionRequest): Promise<void>
}
