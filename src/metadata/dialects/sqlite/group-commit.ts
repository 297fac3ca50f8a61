/**
 * Write transactions that come in one turn of the event loop share one commit on SQLite: each keeps a savepoint of its
 * own, so that one that fails takes nothing of the others with it. Begin and commit cost more than the few rows in
 * between, and pages that several of them change are written once.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import type { Transaction } from '../../handles.ts'

/** What the group needs of the one writing connection. */
export interface GroupConnection {
  /** Runs `work` between begin and commit; rolls back and throws what it throws, or what the commit does. */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Whether a transaction is open; after some errors SQLite has ended it by itself. */
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
/** SQLite answers without a turn of the event loop; a long queue must not keep everybody else from theirs. */
const longestStretchMs = 4
/** After that nothing more joins a group. Most groups take less; those with a manifest of 10,000 layers take more. */
const longestGroupMs = 10

export class GroupCommit {
  readonly #connection: GroupConnection
  readonly #clock: Clock
  #waiting: Job[] = []
  #running: Promise<void> | undefined

  /** The clock is one that nobody sets: back by an hour, it would let nobody else have a turn for an hour. */
  constructor(connection: GroupConnection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** In the order of arrival. `work` runs again when the group could not be committed. Throws what `work` throws. */
  run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting.push({ work, resolve: (value) => resolve(value as T), reject })
    this.#running ??= this.#runAll()
    return promise
  }

  /** Resolves when everything that came so far has ended. */
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
   * As many of the group as one stretch allows. Returns how many; 0 when nothing of the group is committed: then each has
   * to be tried alone, so that it hears its own error.
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
      // With the transaction gone the rows of the others are gone too.
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

/** Time without a turn of the event loop. */
class Stretch {
  readonly #clock: Clock
  #since: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.now()
  }

  /** Also when the clock was set back. */
  hasTaken(ms: number): boolean {
    return Math.abs(this.#clock.now() - this.#since) >= ms
  }

  /** Gives others a turn once the time is over. */
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
