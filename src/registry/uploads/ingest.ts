/**
 * Streams a request body into a session's segment: hash, store and record, with bounded memory. Every second in which
 * bytes came, every so many bytes, and whenever the stream ends for whatever reason, what is durable is recorded in
 * the session's row, so that a client goes on from there after a lost connection, a takeover or a killed process.
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
 * Bytes between two records: small against a large layer, large against the cost of one row. A slow disk costs at most
 * two of these: the record that it has not finished, and what comes in until the next one has to wait for it.
 */
const recordEveryBytes = 32 * 1024 * 1024
/**
 * A record begins at most so long after the first byte that it is needed for, also when the peer stalls: about a second
 * of bytes is lost with a killed process. More when the disk is slower than the uploads, see `record-turns.ts`.
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
  /** Bytes the body must have, when announced. */
  readonly length: number | undefined
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  /** How long bytes may stay without a record. */
  readonly recordEveryMs: number
  /** The body ends the upload: what it leaves is committed to the store, not recorded. */
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

/** One body on its way into one segment. */
class Ingest {
  readonly #deps: IngestDeps
  readonly #request: IngestRequest
  readonly #writer: SegmentWriter
  readonly #frozen: readonly Segment[]
  readonly #startOffset: number
  #received = 0
  /** Where the last record stands, finished or under way. */
  #recorded = 0
  /** True while the body is waited for: what was received is then what the hasher and the writer have. */
  #isIdle = false
  /** Bytes have waited for their record long enough. */
  #isDue = false
  #cancelTimer: (() => void) | undefined
  /** In the line for a turn to record. */
  #isWaiting = false
  #cancelTurn: (() => void) | undefined
  /** A record under way: the disk syncs while the next bytes arrive. Never rejects, see `#failure`. */
  #recording: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  /** Ends the body when a record finds that another process took the session. */
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

  /** Records what came before the body broke off and hands the session back. */
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

  /** One record at a time: a disk slower than the peer holds the peer back, one stretch behind. */
  async #recordNow(): Promise<void> {
    await this.#settle()
    this.#throwFailure()
    void this.#startRecord(this.#snapshot(), (error) => {
      this.#failure = { error }
    })
  }

  /** Runs from the first byte without a record; no byte, no timer. */
  #startTimer(): void {
    this.#cancelTimer ??= this.#deps.timers.after(this.#request.recordEveryMs, () => {
      this.#cancelTimer = undefined
      this.#isDue = true
      if (this.#isIdle) this.#requestRecord()
    })
  }

  /**
   * Records what is there now as soon as it has its turn; a record under way comes first. A failure costs nothing but
   * the record, which is tried again: the one at the end decides. Only a takeover ends the upload.
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

  /** Calls off what has not begun, and waits for the record under way. */
  async #settle(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#cancelTurn?.()
    this.#isWaiting = false
    await this.#recording
  }

  /** For a body that still arrives: the record that closes a failed one is tried all the same. */
  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** No record begins after it but the last one. */
  async #end(): Promise<void> {
    this.#isIdle = false
    await this.#settle()
  }

  /** Forgets the whole body: the session stands where it stood before. */
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
 * Takes the whole body. Returns what the session then holds, durable but not yet recorded: the caller records or
 * commits it in the same transaction as its own change. When the body breaks off, what came is recorded first.
 * Throws `SizeInvalidError` (nothing of the body counts), `LetGo` when the session was taken over, the signal's
 * reason, and the store's errors.
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
    // What went wrong is what the client hears; a record that fails too leaves the row as it was last recorded.
    const closing = error instanceof SizeInvalidError ? run.rewind() : run.recordAndRelease()
    await closing.catch(() => undefined)
    throw error
  }
}
