/**
 * @module
 * The interface of the metadata database: a handle for reads, and write transactions that resolve once they are durable.
 * One query file per aggregate (`tags.ts`, `blobs.ts`, ...) takes these handles; SQL, Kysely and drivers stay inside
 * this folder. Nothing here touches blob bytes, the network or HTTP.
 */
import type { Reader, Transaction } from './handles.ts'

export interface TransactOptions {
  /**
   * Whether to wait for the disk. `false` resolves at the commit: only for rows whose loss in a power cut goes unnoticed
   * (a claim on an upload session). Default `true`: nothing is acknowledged before it is durable.
   */
  readonly durable?: boolean
}

export interface Metadata extends AsyncDisposable {
  readonly dialect: 'sqlite' | 'postgres'
  /** The handle for reads; `handles.ts` says what its queries see. Queries throw `MetadataUnavailable`. */
  readonly reader: Reader
  /**
   * Runs `work` in one write transaction. `work` may run more than once (a busy database, a conflict). It awaits only
   * its own queries, and `sql/pause.ts` in large writes. An error that it throws rolls everything back and is passed on.
   * Throws `Conflict` when retries do not help, and `MetadataUnavailable`.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>, options?: TransactOptions): Promise<T>
  /**
   * Resolves when every commit made before the call is durable. Call it before an external effect that relies on a row
   * that another transaction wrote.
   */
  flush(): Promise<void>
  /**
   * Calls back after each commit of this process that changed rights, before its `transact` resolves. Never calls back
   * where `getRightsVersion` answers at once: there every turn of the event loop reads the version anyway.
   */
  onRightsChange(listener: () => void): void
  /**
   * Sets the installation that the database belongs to. From then on a connection that leads to the database of another
   * installation is refused with `MetadataUnavailable`.
   */
  expectInstallation(id: string): void
  /** Throws `MetadataUnavailable`. */
  ping(): Promise<void>
}
