/**
 * All reads in one turn of the event loop share one snapshot. Acquiring and releasing SQLite's locks costs twice as much
 * as a small query; with 16 requests in a turn that cost is paid once. No read sees older data than a request at the
 * beginning of the turn would. A commit of this process ends the snapshot, so that a writer reads its own writes.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

export class TurnSnapshot {
  readonly #database: DatabaseSync
  #statements: { readonly begin: StatementSync; readonly end: StatementSync } | undefined
  #isOpen = false
  readonly #guard: <T>(call: () => T) => T
  readonly #onTurnEnd = (): void => this.#endQuietly()

  /** `guard` sees each error before it is thrown. */
  constructor(database: DatabaseSync, guard: <T>(call: () => T) => T) {
    this.#database = database
    this.#guard = guard
  }

  /** Opens the snapshot if needed. Call it before each read. */
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
    // SQLite ends the transaction on its own after some errors.
    if (this.#database.isTransaction) this.#guard(() => this.#statements?.end.run())
  }

  /**
   * Ignores errors. No caller waits for the end of a read; the guard has seen the error, and the next query meets the
   * same fault.
   */
  #endQuietly(): void {
    try {
      this.end()
    } catch {
      // Not thrown here, where it would end the process without a reason.
    }
  }
}
