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
  readonly #onTurnEnd = (): void => this.end()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Call before each read. */
  join(): void {
    if (this.#isOpen) return
    this.#statements ??= { begin: this.#database.prepare('begin'), end: this.#database.prepare('commit') }
    this.#statements.begin.run()
    this.#isOpen = true
    setImmediate(this.#onTurnEnd)
  }

  end(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    // After some errors SQLite has ended it by itself.
    if (this.#database.isTransaction) this.#statements?.end.run()
  }
}
