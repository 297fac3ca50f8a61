/**
 * Reads of one turn of the event loop share one snapshot. Taking and leaving SQLite's locks costs twice as much as a
 * small query; with 16 requests in a turn it is paid once. Nothing is seen later than by a request that came at the
 * beginning of the turn, and a commit of this process ends the snapshot: whoever wrote reads what it wrote.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

export class TurnSnapshot {
  readonly #database: DatabaseSync
  #statements: { readonly begin: StatementSync; readonly end: StatementSync } | undefined
  #isOpen = false
  readonly #guard: <T>(call: () => T) => T
  readonly #onTurnEnd = (): void => this.#endQuietly()

  /** `guard` hears of each error before it is thrown. */
  constructor(database: DatabaseSync, guard: <T>(call: () => T) => T) {
    this.#database = database
    this.#guard = guard
  }

  /** Call before each read. */
  join(): void {
    if (this.#isOpen) return
    this.#statements ??= { begin: this.#database.prepare('begin'), end: this.#database.prepare('commit') }
    if (!this.#database.isTransaction) this.#statements.begin.run()
    this.#isOpen = true
    setImmediate(this.#onTurnEnd)
  }

  end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    // After some errors SQLite has ended it by itself.
    if (this.#database.isTransaction) this.#guard(() => this.#statements?.end.run())
  }

  /** Nobody waits for the end of a read: the guard has heard, and the next query meets the same fault. */
  #endQuietly(): void {
    try {
      this.end()
    } catch {
      // Not here, where it would end the process without saying why.
    }
  }
}
