/** Opaque handles: callers pass them on, only this folder looks inside (`sql/database.ts`). */

/**
 * For reading: each query by itself sees all that this process has committed, and what others had when the turn of the
 * event loop began.
 */
export interface Reader {
  readonly _reader: unknown
}

/** One write transaction, valid until the work it was given to resolves. Reads through it see its own writes. */
export interface Transaction extends Reader {
  readonly _transaction: unknown
}
