/**
 * On SQLite, write transactions that arrive in one turn of the event loop share one commit. Each has its own savepoint,
 * so that a failure rolls back only that transaction. Begin and commit cost more than the few rows in between, and a
 * page that several transactions change is written once.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import type { Transaction } from '../../handles.ts'

/** The functions of the writing connection that the group uses. */
export interface GroupConnection {
  /** Runs `work` between begin and commit. Rolls back and rethrows the errors of `work` and of the commit. */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Whether a transaction is open; SQLite ends it on its own after some errors. */
  inTransaction(): boolean
  setSavepoint(): void
  releaseSavepoint(): void
  rollbackToSavepoint(): void
}

interface Job {
  readonly work: (tx: Transaction) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }

const maxGroup = 64
/**
 * SQLite answers without yielding to the event loop. A long queue must not keep other requests waiting for longer than
 * this.
 */
const longestStretchMs = 4
/**
 * After this time no more transactions join a group. Most groups take less; groups with a manifest of 10,000 layers take
 * more.
 */
const longestGroupMs = 10

export class GroupCommit {
  readonly #connection: GroupConnection
  readonly #clock: Clock
  #waiting: Job[] = []
  #running: Promise<void> | undefined

  /** `clock` never jumps: set back by an hour, it would keep other requests waiting for an hour. */
  constructor(connection: GroupConnection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /**
   * Runs transactions in order of arrival. Runs `work` again if the group could not be committed. Throws the errors of
   * `work`.
   */
  run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push({ work, resolve: (value) => resolve(value as T), reject })
    this.#running ??= this.#runAll()
    return promise
  }

  /** Resolves when all transactions so far have ended. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #runAll(): Promise<void> {
    await nextTurn()
    const stretch = new Stretch(this.#clock)
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, maxGroup)
      const done = group.length === 1 ? 0 : await this.#commitTogether(group, stretch)
      if (done === 0) await this.#commitEach(group, stretch)
      else this.#waiting.unshift(...group.slice(done))
      await stretch.rest()
    }
    this.#running = undefined
  }

  /**
   * Commits as many transactions of the group as the time for one stretch of work allows. Returns their number; 0 if nothing was
   * committed, in which case each is tried alone, so that it gets its own error.
   */
  async #commitTogether(group: readonly Job[], stretch: Stretch): Promise<number> {
    const outcomes: Outcome[] = []
    try {
      await this.#connection.transact(async (tx) => {
        outcomes.length = 0
        for (const job of group) {
          if (outcomes.length > 0 && stretch.hasTaken(longestGroupMs)) break
          outcomes.push(await this.#runInSavepoint(job, tx))
        }
      })
    } catch {
      return 0
    }
    for (const [index, outcome] of outcomes.entries()) settle(group[index], outcome)
    return outcomes.length
  }

  async #runInSavepoint({ work }: Job, tx: Transaction): Promise<Outcome> {
    const connection = this.#connection
    connection.setSavepoint()
    try {
      const value = await work(tx)
      connection.releaseSavepoint()
      return { value }
    } catch (error) {
      // If SQLite has ended the transaction, the rows of the other jobs are lost too.
      if (!connection.inTransaction()) throw error
      connection.rollbackToSavepoint()
      return { error }
    }
  }

  async #commitEach(group: readonly Job[], stretch: Stretch): Promise<void> {
    for (const job of group) {
      await stretch.rest()
      const outcome = await this.#connection.transact(job.work).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      settle(job, outcome)
    }
  }
}

/** The time since the event loop last had a turn. */
class Stretch {
  readonly #clock: Clock
  #since: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.now()
  }

  /** Whether the stretch has taken this long, or the clock was set back by as much. */
  hasTaken(ms: number): boolean {
    return Math.abs(this.#clock.now() - this.#since) >= ms
  }

  /** Gives others a turn if the time is up. */
  async rest(): Promise<void> {
    if (!this.hasTaken(longestStretchMs)) return
    await nextTurn()
    this.#since = this.#clock.now()
  }
}

function settle(job: Job | undefined, outcome: Outcome): void {
  if ('error' in outcome) job?.reject(outcome.error)
  else job?.resolve(outcome.value)
}
