/**
 * Buffers events that describe no change for at most a second, so that a flood of refusals costs the database little. Events that
 * an attacker can cause at no cost are recorded once per key and minute. Events that are not recorded are counted, logged once a
 * minute, and recorded as one event with the number of missing events of each kind.
 */
import { monotonicClock, type Clock } from '../lib/clock.ts'
import { insertAuditEvents } from '../metadata/audit/audit-events.ts'
import type { NewAuditEvent } from '../metadata/audit/audit-events.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { Losses, type EventKind, type Loss, type LossReason } from './losses.ts'
import { createNews } from './news.ts'

export interface AuditBuffer {
  /** Adds an event; `describe` is not called when the buffer is full. */
  add(kind: EventKind, describe: () => NewAuditEvent): void
  /** Like `add`, but only for the first event of a key within a minute, and for a limited number of keys of one party. */
  addOnce(kind: EventKind, from: { key: string; party: string }, describe: () => NewAuditEvent): void
  /** Resolves when all events added so far are written; never rejects. */
  flush(): Promise<void>
  /** Like `flush`, but also reports lost events at once. */
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
  /** Called at most once a minute, for the log. */
  readonly onLoss?: ((loss: Loss) => void) | undefined
}

const batchMs = 1_000
/** Further events between two writes are not recorded. */
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
    // Includes events that the last write lost.
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
    // The log already has this loss; if the event cannot be written, the next report includes it.
    this.#writing = this.#writing.then(() => this.#insert([event]).catch(() => report.restore()))
  }
}
