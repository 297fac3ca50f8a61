/** Opaque handles: callers only pass them on; code in this folder looks inside (`sql/database.ts`). */

/**
 * A handle for reads. Each query sees all commits of this process, and the commits of others from before the current
 * turn of the event loop began.
 */
export interface Reader {
  readonly _reader: unknown
}

/** A write transaction, valid until its work resolves. Reads through it see its own writes. */
export interface Transaction extends Reader {
  readonly _transaction: unknown
}
