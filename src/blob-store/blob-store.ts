/**
 * @module Stores the bytes of blobs. A store deals in storage keys, segments and byte ranges; it knows no repositories, rights or
 * sessions. All code above imports only this interface; `app.ts` chooses the driver.
 *
 * A stored blob has a storage key that is never reused. Bytes arrive in segments (`key` + `generation`, one writer each); a
 * commit turns the recorded segments into one blob, atomically and durably. Nothing is visible as a blob before its commit. A
 * driver stores the digest beside the bytes, so that a scan can rebuild the map digest -> key.
 */
import type { Digest } from '../oci/digest.ts'

/** 32 lower-case hex characters; see `lib/ids.ts`. */
export type StorageKey = string

export interface StoredBlob {
  readonly key: StorageKey
  readonly digest: Digest
}

/**
 * The first `size` bytes of segment `generation`. Bytes that a writer left beyond them are ignored; a segment of size 0 need not
 * exist.
 */
export interface Segment {
  readonly generation: number
  readonly size: number
}

/** Where a writer starts: after the first `offset` bytes of segment `generation`. */
export interface SegmentStart {
  readonly generation: number
  readonly offset: number
  /**
   * Receives every byte written, in order, in the store's own buffers, which are reused once the promise resolves. When a `sync`
   * has resolved, it has received every byte. An error it throws fails the writer.
   */
  readonly onBytes?: ((bytes: Uint8Array) => Promise<void>) | undefined
}

/** The first and the last byte, both included, as in HTTP. An empty blob has no range: pass `undefined` to copy it. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Accepts bytes. When `write` resolves, the buffer belongs to the store again and may be overwritten. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>
}

export interface SyncOptions {
  /**
   * Whether the caller calls `commit` next, which makes the segment findable: after a power cut before that, the segment may be
   * lost. Default `false`.
   */
  readonly beforeCommit?: boolean
}

/**
 * The only writer of one segment; `write` takes ownership of the bytes. Writes must not overlap, but a `sync` may run
 * concurrently with later writes: it covers the bytes written before the call.
 */
export interface SegmentWriter extends AsyncDisposable {
  /** The bytes in this segment so far, including those present when it was opened. */
  readonly size: number
  /**
   * Resolves when more bytes may be written (back-pressure), not when these are durable. Throws `StoreFull`, `StoreUnavailable`.
   */
  write(bytes: Uint8Array): Promise<void>
  /**
   * Resolves when every byte written before the call survives a power cut; returns their count. After an error, every later call
   * throws it again.
   */
  sync(options?: SyncOptions): Promise<number>
}

export interface CopyOptions {
  /** The bytes to copy; all of them when absent. */
  readonly range?: ByteRange | undefined
  readonly signal?: AbortSignal | undefined
}

/** An open blob; it stays readable after the blob is deleted. Dispose it. */
export interface BlobReader extends AsyncDisposable {
  readonly size: number
  /** The whole content if it is in memory: it is sent in one write and must not be changed. */
  readonly bytes?: Uint8Array | undefined
  /**
   * Copies to the sink with bounded memory. Stops with the signal's reason. Throws `BlobMissing` when there are fewer bytes than
   * the blob's size.
   */
  copyTo(sink: ByteSink, options: CopyOptions): Promise<void>
}

export interface CommitOptions {
  /** The segments in order; several are joined. */
  readonly segments: readonly Segment[]
  /**
   * The committer's generation. Only the committer writes its own segment, so a driver may turn that file into the blob. A
   * segment of another generation may still have a hanging writer: its bytes are copied.
   */
  readonly generation: number
  /**
   * Receives every byte, in order, when the driver copies, which it does for several segments or a segment of another generation.
   * An error it throws ends the commit before anything is visible. Not called when the blob already exists.
   */
  readonly onBytes?: ((bytes: Uint8Array) => void) | undefined
}

export interface StoreEntry {
  readonly key: StorageKey
  /** Absent for the segments of an unfinished upload. */
  readonly digest: Digest | undefined
  readonly size: number
  /** The time of the last change by the store's own clock, in milliseconds since the epoch. */
  readonly modifiedAt: number
}

/** The bytes of one key: the blob if there is a digest, otherwise the segments. */
export interface StoredBytes {
  readonly key: StorageKey
  readonly digest: Digest | undefined
}

/** A key of a batch that failed, and why. The other keys of the batch are done. */
export interface KeyFailure {
  readonly key: StorageKey
  readonly error: unknown
}

/** A blob or segment that `setAside` took out of the store. */
export interface AsideEntry extends StoreEntry {
  /** The name of the entry; opaque. */
  readonly id: string
  /** The start of the UTC day on which the entry was set aside, in milliseconds since the epoch. */
  readonly setAsideAt: number
}

export interface BlobStore extends AsyncDisposable {
  readonly driver: 'filesystem' | 'memory'
  /**
   * Opens a segment of `key` for appending and truncates it to the offset. Throws `UploadMissing` when the segment is shorter
   * than the offset.
   */
  openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter>
  /** Copies the segments' bytes to the sink, in order. Throws `UploadMissing`. */
  readSegments(key: StorageKey, segments: readonly Segment[], sink: ByteSink): Promise<void>
  /**
   * Turns the segments into the blob `stored`, durably: renames the committer's own segment, copies anything else once. No writer
   * can change the blob afterwards. Throws `UploadMissing` when a segment is missing or too short. May be repeated after a
   * failure; does nothing once done.
   */
  commit(stored: StoredBlob, options: CommitOptions): Promise<void>
  /**
   * Returns the current size of the blob in bytes, `undefined` when it is missing. Always asks the store itself, never a cache.
   * Throws `StoreUnavailable`.
   */
  stat(stored: StoredBlob): Promise<number | undefined>
  /** Throws `BlobMissing`. */
  open(stored: StoredBlob): Promise<BlobReader>
  /** Removes every segment of the key, and the blob when its digest is given; missing bytes are not an error. */
  delete(key: StorageKey, digest: Digest | undefined): Promise<void>
  /**
   * Like `delete`, but for many keys, with one scan of the unfinished uploads. Returns the keys that could not be deleted;
   * repeating it is harmless.
   */
  deleteAll(dead: readonly StoredBytes[]): Promise<readonly KeyFailure[]>
  /**
   * Moves bytes out of the store without deleting them: they can no longer be opened or listed, but `listAside` shows them.
   * Durable when it resolves. Missing bytes are not an error. Returns the keys whose bytes could not be moved.
   */
  setAside(bytes: readonly StoredBytes[]): Promise<readonly KeyFailure[]>
  /** Lists all entries that were set aside, in no particular order. */
  listAside(): AsyncIterable<AsideEntry>
  /**
   * Moves an entry back to its place, durably. Returns `false`, and leaves the entry aside, when other bytes are in its place.
   */
  restoreAside(entry: AsideEntry): Promise<boolean>
  /** Deletes an entry that was set aside; a missing one is not an error. */
  deleteAside(entry: AsideEntry): Promise<void>
  /**
   * Lists all blobs and segments of the store, in no particular order, with one entry per key and state. A blob committed during
   * the scan may show up as blob and as upload, but never as neither. Entries set aside are not included.
   */
  list(): AsyncIterable<StoreEntry>
  /** Returns the installation that owns this store; `undefined` for a new store. */
  readInstallationId(): Promise<string | undefined>
  writeInstallationId(id: string): Promise<void>
  /** Writes, reads and removes a probe. Throws `StoreUnavailable`. */
  ping(): Promise<void>
}
