/**
 * @module
 * The metadata database as the rest of Lading sees it: a handle for reads, and write transactions that resolve
 * once they are durable. One query file per aggregate (`tags.ts`, `blobs.ts`, ...) takes these handles; SQL, Kysely
 * and drivers stay inside this folder. Nothing here touches blob bytes, the network or HTTP.
 */
import type { Reader, Transaction } from './handles.ts'

export interface TransactOptions {
  /**
   * `false` resolves at the commit, without waiting for the disk: only for rows whose loss in a power cut nobody can
   * notice (a claim on an upload session). Default `true`: nothing is acknowledged before it is durable.
   */
  readonly durable?: boolean
}

export interface Metadata extends AsyncDisposable {
  readonly dialect: 'sqlite' | 'postgres'
  /** What a query sees: `handles.ts`. Throws `MetadataUnavailable`. */
  readonly reader: Reader
  /**
   * Runs `work` in one write transaction. `work` may run more than once (a busy database, a conflict) and awaits
   * nothing but its own queries, and `sql/pause.ts` in large ones; what it throws rolls everything back and is passed on. Throws `Conflict` when
   * repetition does not help, `MetadataUnavailable`.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>, options?: TransactOptions): Promise<T>
  /** Resolves when every commit made before the call is durable: before any external effect that relies on another's row. */
  flush(): Promise<void>
  /**
   * Calls back after each commit of this process that changed rights, before its `transact` resolves. Never where
   * `getRightsVersion` answers at once: there each turn of the event loop asks anyway.
   */
  onRightsChange(listener: () => void): void
  /**
   * Call it once it is known which installation the database belongs to: what leads to the database of another one later is
   * refused with `MetadataUnavailable`.
   */
  expectInstallation(id: string): void
  /** Throws `MetadataUnavailable`. */
  ping(): Promise<void>
}
