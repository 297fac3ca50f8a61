/**
 * @module
 * Where the bytes of blobs live. A store knows storage keys, segments and byte ranges; it knows nothing of
 * repositories, rights or sessions. Everybody above imports this interface only; `app.ts` chooses the driver.
 *
 * A stored blob has a storage key that is never reused. Bytes arrive in segments (`key` + `generation`, one
 * writer each); a commit turns the recorded segments into one blob, in one step and durably. Nothing is visible
 * as a blob before its commit, and a driver leaves enough beside the bytes (the digest) to rebuild the map
 * digest -> key by a scan.
 */
import type { Digest } from '../oci/digest.ts'

/** 32 lower-case hex characters, see `lib/ids.ts`. */
export type StorageKey = string

export interface StoredBlob {
  readonly key: StorageKey
  readonly digest: Digest
}

/**
 * Bytes that count: the first `size` bytes of segment `generation`. What a writer left beyond is ignored, and a segment
 * of size 0 need not exist.
 */
export interface Segment {
  readonly generation: number
  readonly size: number
}

/** Where a writer begins: behind the first `offset` bytes of segment `generation`. */
export interface SegmentStart {
  readonly generation: number
  readonly offset: number
  /**
   * Given every byte that is written, in order, in the store's own buffers: they are used again when the promise
   * resolves. All have been given when a `sync` has resolved. What it throws fails the writer.
   */
  readonly onBytes?: ((bytes: Uint8Array) => Promise<void>) | undefined
}

/** First and last byte, both included, as in HTTP. An empty blob has no range: copy it with `undefined`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Takes bytes; when `write` resolves, the buffer belongs to the store again and may be overwritten. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>
}

export interface SyncOptions {
  /**
   * The caller goes straight on to `commit`, which makes the segment findable: after a power cut before that it may be
   * gone. Default `false`.
   */
  readonly beforeCommit?: boolean
}

/**
 * One writer of one segment; `write` takes ownership of the bytes. One write at a time, but a `sync` may run beside
 * later writes: it covers what was written before it was called.
 */
export interface SegmentWriter extends AsyncDisposable {
  /** Bytes of this segment so far, what was there when it was opened included. */
  readonly size: number
  /** Resolves when more may be written (back-pressure), not when the bytes are durable. Throws `StoreFull`, `StoreUnavailable`. */
  write(bytes: Uint8Array): Promise<void>
  /** Resolves when every byte written before the call survives a power cut; returns their count. After an error it keeps throwing. */
  sync(options?: SyncOptions): Promise<number>
}

export interface CopyOptions {
  /** Everything when absent. */
  readonly range?: ByteRange | undefined
  readonly signal?: AbortSignal | undefined
}

/** An open blob; reading goes on even when the blob is deleted meanwhile. Dispose it. */
export interface BlobReader extends AsyncDisposable {
  readonly size: number
  /** Whole content when it is held in memory: sent in one write, never changed by anybody. */
  readonly bytes?: Uint8Array | undefined
  /** Copies to the sink with bounded memory. Stops with the signal's reason. Throws `BlobMissing` when the bytes are shorter than promised. */
  copyTo(sink: ByteSink, options: CopyOptions): Promise<void>
}

export interface CommitOptions {
  /** In order; joined when there are several. */
  readonly segments: readonly Segment[]
  /**
   * The generation that the committer holds. Its own segment has no other writer, so a driver may make that file the
   * blob as it is. A segment of any other generation may still have a writer that hangs: its bytes are copied.
   */
  readonly generation: number
  /**
   * Called with every byte, in order, when the driver copies: several segments, or one of another generation. What it
   * throws ends the commit before anything is visible. Not called when the blob is there already.
   */
  readonly onBytes?: ((bytes: Uint8Array) => void) | undefined
}

export interface StoreEntry {
  readonly key: StorageKey
  /** Absent for the segments of an unfinished upload. */
  readonly digest: Digest | undefined
  readonly size: number
  /** Last change, milliseconds since the epoch, by the store's own clock. */
  readonly modifiedAt: number
}

/** The bytes of one key: those of the blob where there is a digest, those of the segments otherwise. */
export interface StoredBytes {
  readonly key: StorageKey
  readonly digest: Digest | undefined
}

/** What failed for one key of a batch. The other keys of the batch are done. */
export interface KeyFailure {
  readonly key: StorageKey
  readonly error: unknown
}

/** A blob or one segment that `setAside` took out of the store. */
export interface AsideEntry extends StoreEntry {
  /** Names the entry; opaque. */
  readonly id: string
  /** Start of the UTC day on which it was set aside, milliseconds since the epoch. */
  readonly setAsideAt: number
}

export interface BlobStore extends AsyncDisposable {
  readonly driver: 'filesystem' | 'memory'
  /**
   * Opens a segment of `key` for appending; what is beyond the offset is cut off.
   * Throws `UploadMissing` when the segment holds fewer bytes than the offset.
   */
  openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter>
  /** Copies the segments' bytes to the sink, in order. Throws `UploadMissing`. */
  readSegments(key: StorageKey, segments: readonly Segment[], sink: ByteSink): Promise<void>
  /**
   * Makes the segments the blob `stored`, durable when it resolves: the committer's own segment by rename, anything else
   * by one copy. No writer can change the blob afterwards.
   * Throws `UploadMissing` when a segment is gone or too short; may be repeated after a failure, and is a no-op once done.
   */
  commit(stored: StoredBlob, options: CommitOptions): Promise<void>
  /**
   * Returns how many bytes the store holds for the blob now, `undefined` when it holds none. Always looks at the store
   * itself, never at a cache. Throws `StoreUnavailable`.
   */
  stat(stored: StoredBlob): Promise<number | undefined>
  /** Throws `BlobMissing`. */
  open(stored: StoredBlob): Promise<BlobReader>
  /** Removes every segment of the key, and the blob when its digest is given; a missing one is no error. */
  delete(key: StorageKey, digest: Digest | undefined): Promise<void>
  /**
   * Does what `delete` does for many keys, with one scan of the unfinished uploads for all of them. Returns the keys
   * that could not be deleted; a repetition is harmless.
   */
  deleteAll(dead: readonly StoredBytes[]): Promise<readonly KeyFailure[]>
  /**
   * Moves bytes out of the store without deleting them: they can no longer be opened or listed, and `listAside` shows
   * them. Durable when it resolves. Missing bytes are no error. Returns the keys whose bytes could not be moved.
   */
  setAside(bytes: readonly StoredBytes[]): Promise<readonly KeyFailure[]>
  /** Everything that was set aside, in no order. */
  listAside(): AsyncIterable<AsideEntry>
  /**
   * Puts an entry back where it came from, durably. Returns `false`, and leaves the entry aside, when other bytes have
   * taken its place.
   */
  restoreAside(entry: AsideEntry): Promise<boolean>
  /** Deletes an entry that was set aside; a missing one is no error. */
  deleteAside(entry: AsideEntry): Promise<void>
  /**
   * Everything the store holds, blobs and segments, in no order; one entry per key and state. What is committed during
   * the scan may show up as both, never as neither. What was set aside is not part of it.
   */
  list(): AsyncIterable<StoreEntry>
  /** The installation this store belongs to; `undefined` for a new store. */
  readInstallationId(): Promise<string | undefined>
  writeInstallationId(id: string): Promise<void>
  /** Writes, reads and removes a probe; throws `StoreUnavailable`. */
  ping(): Promise<void>
}
