/** What the upload service is asked and answers, and what it needs. */
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
  /** Called after a commit that left bytes to remove: the job that removes them need not wait for its hour. */
  readonly onDeadKey: () => void
  /** Open sessions one principal, or one address of anonymous clients, may have. */
  readonly maxSessions: number
  readonly lives: UploadLives
  /** How long a newcomer waits for the holder of a session to let go. */
  readonly takeoverMs: number
}

export interface SessionRequest {
  readonly repository: RepositoryName
  readonly id: string
  readonly caller: Caller
}

export interface BodyRequest {
  readonly body: AsyncIterable<Uint8Array>
  /** First byte's offset, from Content-Range. */
  readonly start?: number | undefined
  /** Bytes in the body, where announced: by Content-Range, or else by Content-Length. */
  readonly length?: number | undefined
  /** Of a body with a Content-Range, which has to agree with it. */
  readonly contentLength?: number | undefined
  /** Aborted when the client is gone. */
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
  /** Bytes the session holds. */
  readonly offset: number
}

export interface CommittedBlob {
  readonly digest: Digest
  readonly size: number
}

/** Upload sessions (distribution-spec end-4 to end-6, end-11, end-13, end-14). */
export interface Uploads {
  /** At the ceiling the oldest session without a byte ends. Throws `TooManyUploadsError` where all are in use. */
  start(request: StartRequest): Promise<UploadStatus>
  /**
   * What the session holds. A body that is just arriving ends here with `UploadOutOfOrderError`, what came of it
   * included: the answer is where the next PATCH goes on. Throws `UploadUnknownError`.
   */
  status(request: SessionRequest): Promise<UploadStatus>
  /**
   * Appends a chunk or a stream. Throws, in this order, `UploadUnknownError`, then `UploadOutOfOrderError` and
   * `ChunkLengthError` before the body is read, then `SizeInvalidError`; when the body breaks off, what arrived is kept and reported by `status`.
   */
  append(request: AppendRequest): Promise<UploadStatus>
  /**
   * Ends the session with a blob; of a session that is gone, the blob that the repository has. A mismatch of the digest ends it
   * too, with `DigestMismatchError`.
   */
  commit(request: CommitRequest): Promise<CommittedBlob>
  /** A whole blob in one request, which no ceiling counts; a failure leaves no session behind. */
  push(request: PushRequest): Promise<CommittedBlob>
  /** Throws `UploadUnknownError`. */
  cancel(request: SessionRequest): Promise<void>
}
