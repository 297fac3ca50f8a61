/**
 * Streams a request body into a session's segment with bounded memory: hashes, stores and records it. Once a second while bytes
 * arrive, after a number of bytes, and whenever the stream ends, the durable offset is recorded in the session's row, so that a
 * client can resume there after a lost connection, a takeover or a killed process.
 */
import type { BlobStore, Segment, SegmentWriter } from '../../blob-store/blob-store.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Timers } from '../../lib/timers.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { recordUpload, type HashState, type UploadRow } from '../../metadata/content/uploads.ts'
import { SizeInvalidError } from '../errors.ts'
import type { ContentHasher } from './content-hasher.ts'
import { InterruptibleBody } from './interruptible-body.ts'
import type { RecordTurns } from './record-turns.ts'
import { LetGo, type SessionLock } from './session-locks.ts'

/**
 * The bytes between two records: small compared with a large layer, large compared with the cost of one row. A slow disk loses at
 * most two of these: one for the unfinished record, and one for the bytes that arrive until the next record, which must wait for
 * it.
 */
const recordEveryBytes = 32 * 1024 * 1024
/**
 * A record starts at most this long after the first byte that it covers, even when the peer stalls: a killed process loses about
 * a second of bytes. It loses more when the disk is slower than the uploads; see `record-turns.ts`.
 */
export const recordEveryMs = 1_000

export interface IngestDeps {
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
  readonly timers: Timers
  readonly recordTurns: RecordTurns
}

export interface IngestRequest {
  readonly row: UploadRow
  readonly writer: string
  readonly lock: SessionLock
  readonly hasher: ContentHasher | undefined
  readonly body: AsyncIterable<Uint8Array>
  /** The announced length of the body in bytes. */
  readonly length: number | undefined
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal
  /** How long bytes may stay unrecorded. */
  readonly recordEveryMs: number
  /** Whether this body ends the upload: its last bytes are committed to the store, not recorded. */
  readonly isLast: boolean
}

export interface Received {
  readonly segments: readonly Segment[]
  readonly offset: number
  readonly hash: HashState | undefined
}

interface Recorded extends Received {
  readonly release: boolean
}

/** Streams one body into one segment. */
class Ingest {
  readonly #deps: IngestDeps
  readonly #request: IngestRequest
  readonly #writer: SegmentWriter
  readonly #frozen: readonly Segment[]
  readonly #startOffset: number
  #received = 0
  /** How many bytes of the body the last record covers, finished or in progress. */
  #recorded = 0
  /** True while waiting for the body: the hasher and the writer then have all received bytes. */
  #isIdle = false
  /** Whether bytes have stayed unrecorded for long enough. */
  #isDue = false
  #cancelTimer: (() => void) | undefined
  /** Whether it is queued for a turn to record. */
  #isWaiting = false
  #cancelTurn: (() => void) | undefined
  /** The record in progress: the disk syncs while the next bytes arrive. Never rejects; see `#failure`. */
  #recording: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  /** Ends the body when a record finds that another process has taken over the session. */
  readonly #lost = new AbortController()

  constructor(
    deps: IngestDeps,
    request: IngestRequest,
    opened: { writer: SegmentWriter; frozen: readonly Segment[] },
  ) {
    this.#deps = deps
    this.#request = request
    this.#writer = opened.writer
    this.#frozen = opened.frozen
    this.#startOffset = request.row.offset
  }

  async run(): Promise<Received> {
    const { body, length, lock, signal } = this.#request
    using pieces = new InterruptibleBody(body, AbortSignal.any([signal, lock.letGo, this.#lost.signal]))
    for (;;) {
      this.#isIdle = true
      const piece = await pieces.next()
      this.#isIdle = false
      if (piece === undefined) break
      await this.#take(piece)
      if (length !== undefined && this.#received > length) break
    }
    if (length !== undefined && this.#received !== length) {
      throw new SizeInvalidError({ announced: length, received: this.#received })
    }
    await this.#end()
    this.#throwFailure()
    await this.#writer.sync({ beforeCommit: this.#request.isLast })
    return this.#state(await this.#request.hasher?.finish(this.offset))
  }

  get offset(): number {
    return this.#startOffset + this.#received
  }

  /** Records the bytes that arrived before the body broke off, and releases the session. */
  async recordAndRelease(): Promise<void> {
    await this.#end()
    await this.#record({ ...this.#snapshot(), release: true })
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { hasher } = this.#request
    if (hasher?.takes === 'pieces') await hasher.update(bytes)
    this.#received += bytes.length
    await this.#writer.write(bytes)
    if (this.#received - this.#recorded >= recordEveryBytes) await this.#recordNow()
    else if (this.#isDue) this.#requestRecord()
    else this.#startTimer()
  }

  /** Records now, one record at a time: if the disk is slower than the peer, the peer waits when it is one record ahead. */
  async #recordNow(): Promise<void> {
    await this.#settle()
    this.#throwFailure()
    void this.#startRecord(this.#snapshot(), (error) => {
      this.#failure = { error }
    })
  }

  /** Starts with the first unrecorded byte; without bytes no timer runs. */
  #startTimer(): void {
    this.#cancelTimer ??= this.#deps.timers.after(this.#request.recordEveryMs, () => {
      this.#cancelTimer = undefined
      this.#isDue = true
      if (this.#isIdle) this.#requestRecord()
    })
  }

  /**
   * Records the current state as soon as it has its turn, after a record in progress. A failure only loses this record, which is
   * tried again: the final record counts. Only a takeover ends the upload.
   */
  #requestRecord(): void {
    if (this.#recording !== undefined || this.#isWaiting) return
    const state = this.#snapshot()
    const recorded = this.#recorded
    this.#isWaiting = true
    this.#cancelTurn = this.#deps.recordTurns.request(() => {
      this.#isWaiting = false
      return this.#startRecord(state, (error) => {
        if (error instanceof LetGo) this.#lost.abort(error)
        else this.#recorded = recorded
      })
    })
  }

  /** Never rejects. */
  async #startRecord(state: Recorded, onFailure: (error: unknown) => void): Promise<void> {
    this.#isDue = false
    this.#recorded = state.offset - this.#startOffset
    const recording = this.#record(state).catch(onFailure)
    this.#recording = recording
    await recording
    if (this.#recording === recording) this.#recording = undefined
    if (!this.#isIdle) return
    if (this.#isDue) this.#requestRecord()
    else if (this.#received > this.#recorded) this.#startTimer()
  }

  /** Cancels records that have not started, and waits for the record in progress. */
  async #settle(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#cancelTurn?.()
    this.#isWaiting = false
    await this.#recording
  }

  /**
   * Throws the failure of an earlier record while the body still arrives. Not called after the body fails, so that its bytes are
   * still recorded.
   */
  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** After this, only the last record starts. */
  async #end(): Promise<void> {
    this.#isIdle = false
    await this.#settle()
  }

  /** Discards the whole body: the session returns to its state before the request. */
  async rewind(): Promise<void> {
    const { segments, offset, hash } = this.#request.row
    await this.#end()
    await this.#record({ segments, offset, hash, release: true })
  }

  #snapshot(): Recorded {
    return { ...this.#state(this.#request.hasher?.snapshot(this.offset)), release: false }
  }

  #state(hash: HashState | undefined): Received {
    const { generation } = this.#request.row
    const current = { generation, size: this.#writer.size }
    const segments = current.size === 0 && this.#frozen.length > 0 ? this.#frozen : [...this.#frozen, current]
    return { segments, offset: this.offset, hash }
  }

  async #record(state: Recorded): Promise<void> {
    const { row, writer } = this.#request
    await this.#writer.sync()
    const now = this.#deps.clock.now()
    const record = { id: row.id, writer, generation: row.generation, ...state, now }
    const ours = await this.#deps.metadata.transact((tx) => recordUpload(tx, record))
    if (!ours) throw new LetGo()
  }
}

/**
 * Streams the whole body. Returns the new state of the session, durable but not yet recorded: the caller records or commits it in
 * the transaction of its own change. When the body breaks off, the received bytes are recorded first. Throws `SizeInvalidError`
 * (the whole body is discarded), `LetGo` when the session was taken over, the signal's reason, and errors of the store.
 */
export async function ingest(deps: IngestDeps, request: IngestRequest): Promise<Received> {
  const { row, hasher } = request
  const current = row.segments.find((segment) => segment.generation === row.generation)
  const frozen = row.segments.filter((segment) => segment.generation !== row.generation)
  await using writer = await deps.store.openSegment(row.storageKey, {
    generation: row.generation,
    offset: current?.size ?? 0,
    onBytes: hasher?.takes === 'stored bytes' ? async (bytes) => hasher.update(bytes) : undefined,
  })
  const run = new Ingest(deps, request, { writer, frozen })
  try {
    return await run.run()
  } catch (error) {
    hasher?.abandon()
    // Report the original error to the client; if this record fails too, the row keeps its last recorded state.
    const closing = error instanceof SizeInvalidError ? run.rewind() : run.recordAndRelease()
    await closing.catch(() => undefined)
    throw error
  }
}
