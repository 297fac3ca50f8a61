/**
 * What changes nothing waits here for a second at most, so that a flood of refusals costs the database little. What
 * costs an attacker nothing is written once a minute. What is not recorded is counted, told to the log once a minute, and
 * recorded as one event that says how many of which kind are missing.
 */
import { monotonicClock, type Clock } from '../lib/clock.ts'
import { insertAuditEvents } from '../metadata/audit/audit-events.ts'
import type { NewAuditEvent } from '../metadata/audit/audit-events.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { Losses, type EventKind, type Loss, type LossReason } from './losses.ts'
import { createNews } from './news.ts'

export interface AuditBuffer {
  /** `describe` is not called when the buffer is full. */
  add(kind: EventKind, describe: () => NewAuditEvent): void
  /** The same, for the first of its key within a minute, and not too many of one party. */
  addOnce(kind: EventKind, from: { key: string; party: string }, describe: () => NewAuditEvent): void
  /** Resolves when what was added so far is written; never rejects. */
  flush(): Promise<void>
  /** The same, and tells at once what was lost. */
  close(): Promise<void>
}

export interface AuditBufferDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  /** A clock that never jumps. */
  readonly monotonic?: Clock | undefined
  readonly onError: (error: unknown) => void
  /** Called for each loss, for the metrics. */
  readonly onDropped?: ((reason: LossReason, count: number) => void) | undefined
  /** Called once a minute at most, for the log. */
  readonly onLoss?: ((loss: Loss) => void) | undefined
}

const batchMs = 1_000
/** What comes on top between two writes is not recorded. */
const maxBuffered = 5_000

export function createAuditBuffer(deps: AuditBufferDeps): AuditBuffer {
  return new Buffer(deps)
}

class Buffer implements AuditBuffer {
  readonly #deps: AuditBufferDeps
  readonly #judge: ReturnType<typeof createNews>
  readonly #losses: Losses
  #events: NewAuditEvent[] = []
  #timer: NodeJS.Timeout | undefined
  #lossTimer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(deps: AuditBufferDeps) {
    this.#deps = deps
    this.#judge = createNews(deps.clock)
    this.#losses = new Losses(deps.monotonic ?? monotonicClock)
  }

  add(kind: EventKind, describe: () => NewAuditEvent): void {
    if (this.#events.length >= maxBuffered) {
      this.#lose('full', [kind])
      return
    }
    this.#events.push(describe())
    this.#timer ??= setTimeout(() => this.#writeSoon(), batchMs).unref()
  }

  addOnce(
    kind: EventKind,
    { key, party }: { key: string; party: string },
    describe: () => NewAuditEvent,
  ): void {
    const news = this.#judge(`${kind.action} ${kind.outcome} ${key}`, party)
    if (news === 'new') this.add(kind, describe)
    if (news === 'too-many') this.#lose('distinct', [kind])
  }

  async flush(): Promise<void> {
    this.#writeSoon()
    await this.#writing
  }

  async close(): Promise<void> {
    await this.flush()
    // What the last write lost as well.
    this.#reportLoss()
    await this.#writing
  }

  #writeSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const events = this.#events
    this.#events = []
    if (events.length > 0) this.#writing = this.#writing.then(() => this.#write(events))
  }

  async #write(events: readonly NewAuditEvent[]): Promise<void> {
    try {
      await this.#insert(events)
    } catch (error) {
      this.#deps.onError(error)
      this.#lose('failed', events)
    }
  }

  async #insert(events: readonly NewAuditEvent[]): Promise<void> {
    await this.#deps.metadata.transact((tx) => insertAuditEvents(tx, events), { durable: false })
  }

  #lose(reason: LossReason, kinds: readonly EventKind[]): void {
    this.#deps.onDropped?.(reason, kinds.length)
    for (const kind of kinds) this.#losses.add(kind)
    this.#lossTimer ??= setTimeout(() => this.#reportLoss(), this.#losses.dueInMs + batchMs).unref()
  }

  #reportLoss(): void {
    clearTimeout(this.#lossTimer)
    this.#lossTimer = undefined
    const report = this.#losses.take()
    if (report === undefined) return
    this.#deps.onLoss?.(report.fresh)
    const event: NewAuditEvent = {
      at: this.#deps.clock.now(),
      actor: { id: 'system', name: '' },
      action: 'audit.loss',
      outcome: 'done',
      detail: { ...report.unwritten },
    }
    // The log has heard; the next report carries it along.
    this.#writing = this.#writing.then(() => this.#insert([event]).catch(() => report.restore()))
  }
}
