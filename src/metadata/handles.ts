/** Opaque handles: callers pass them on, only the query files of this folder look inside. */
export interface Reader {
  readonly _reader: unknown
}
export interface Transaction extends Reader {
  readonly _transaction: unknown
}
