/**
 * Streams a request body into a session's segment: hash, store and record, with bounded memory. Every so many
 * bytes or seconds, and whenever the stream ends for whatever reason, what is durable is recorded in the
 * session's row, so that a client goes on from there after a lost connection, a takeover or a killed process.
 */
import type { BlobStore, Segment, SegmentWriter } from '../../blob-store/blob-store.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { recordUpload, type HashState, type UploadRow } from '../../metadata/uploads.ts'
import { SizeInvalidError } from '../errors.ts'
import type { ContentHasher } from './content-hasher.ts'
import { InterruptibleBody } from './interruptible-body.ts'
import { LetGo, type SessionLock } from './session-locks.ts'

/**
 * Bytes between two records: small against a large layer, large against the cost of one row. A crash costs at most two
 * of these: the record that a slow disk has not finished, and what comes in until the next one has to wait for it.
 */
const recordEveryBytes = 32 * 1024 * 1024
/** A slow peer's bytes are recorded at least this often, which also keeps its session from expiring. */
const recordEveryMs = 30_000

export interface IngestDeps {
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
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
  /** The body ends the upload: what it leaves is committed to the store, not recorded. */
  readonly isLast: boolean
}

export interface Received {
  readonly segments: readonly Segment[]
  readonly offset: number
  readonly hash: HashState | undefined
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
  #recordedAt: number
  /** A record under way: the disk syncs while the next bytes arrive. Never rejects, see `#failure`. */
  #recording: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

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
    this.#recordedAt = deps.clock.now()
  }

  async run(): Promise<Received> {
    const { body, length, lock, signal } = this.#request
    using pieces = new InterruptibleBody(body, AbortSignal.any([signal, lock.letGo]))
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
      await this.#take(piece)
      if (length !== undefined && this.#received > length) break
    }
    if (length !== undefined && this.#received !== length) {
      throw new SizeInvalidError({ announced: length, received: this.#received })
    }
    await this.#settle()
    await this.#writer.sync({ beforeCommit: this.#request.isLast })
    return this.#state(await this.#request.hasher?.finish(this.offset))
  }

  get offset(): number {
    return this.#startOffset + this.#received
  }

  /** Records what came before the body broke off and hands the session back. */
  async recordAndRelease(): Promise<void> {
    await this.#settle()
    await this.#record({ ...this.#snapshot(), release: true })
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { hasher } = this.#request
    if (hasher?.takes === 'pieces') await hasher.update(bytes)
    this.#received += bytes.length
    await this.#writer.write(bytes)
    const now = this.#deps.clock.now()
    const due = this.#received - this.#recorded >= recordEveryBytes || now - this.#recordedAt >= recordEveryMs
    if (due) await this.#startRecord()
  }

  /** One record at a time: a disk slower than the peer holds the peer back, one stretch behind. */
  async #startRecord(): Promise<void> {
    await this.#settle()
    this.#recording = this.#record(this.#snapshot()).catch((error: unknown) => {
      this.#failure = { error }
    })
  }

  /** Waits for the record under way. Throws what a record failed with. */
  async #settle(): Promise<void> {
    await this.#recording
    this.#recording = undefined
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Forgets the whole body: the session stands where it stood before. */
  async rewind(): Promise<void> {
    const { segments, offset, hash } = this.#request.row
    await this.#settle()
    await this.#record({ segments, offset, hash, release: true })
  }

  #snapshot(): Received & { release: boolean } {
    return { ...this.#state(this.#request.hasher?.snapshot(this.offset)), release: false }
  }

  #state(hash: HashState | undefined): Received {
    const { generation } = this.#request.row
    const current = { generation, size: this.#writer.size }
    const segments = current.size === 0 && this.#frozen.length > 0 ? this.#frozen : [...this.#frozen, current]
    return { segments, offset: this.offset, hash }
  }

  async #record(state: Received & { release: boolean }): Promise<void> {
    const { row, writer } = this.#request
    const now = this.#deps.clock.now()
    this.#recorded = this.#received
    this.#recordedAt = now
    await this.#writer.sync()
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
