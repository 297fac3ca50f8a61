/** Reports each write transaction for metrics and traces. Reads are not measured: they are too many and too short. */
import type { Reader, Transaction } from './handles.ts'
import type { Metadata, TransactOptions } from './metadata.ts'

export interface TransactionObservation {
  /** The time from the call to the first statement. */
  readonly waitMs: number
  /** The time from the call until the transaction was durable or failed. */
  readonly durationMs: number
  readonly runs: number
  readonly failed: boolean
}

export interface ObservedMetadataDeps {
  readonly onTransaction: (observation: TransactionObservation) => void
  /** Returns monotonic milliseconds, with fractions. */
  readonly now: () => number
}

export class ObservedMetadata implements Metadata {
  readonly dialect: Metadata['dialect']
  readonly reader: Reader
  readonly #metadata: Metadata
  readonly #deps: ObservedMetadataDeps
  #pending = 0

  constructor(metadata: Metadata, deps: ObservedMetadataDeps) {
    this.dialect = metadata.dialect
    this.reader = metadata.reader
    this.#metadata = metadata
    this.#deps = deps
  }

  /** The number of write transactions that were requested and have not ended. */
  get pending(): number {
    return this.#pending
  }

  onRightsChange(listener: () => void): void {
    this.#metadata.onRightsChange(listener)
  }

  expectInstallation(id: string): void {
    this.#metadata.expectInstallation(id)
  }

  async transact<T>(work: (tx: Transaction) => Promise<T>, options?: TransactOptions): Promise<T> {
    const { now, onTransaction } = this.#deps
    const startedAt = now()
    let begunAt: number | undefined
    let runs = 0
    let failed = true
    this.#pending++
    try {
      const result = await this.#metadata.transact((tx) => {
        begunAt ??= now()
        runs++
        return work(tx)
      }, options)
      failed = false
      return result
    } finally {
      this.#pending--
      const endedAt = now()
      onTransaction({
        waitMs: (begunAt ?? endedAt) - startedAt,
        durationMs: endedAt - startedAt,
        runs,
        failed,
      })
    }
  }

  flush(): Promise<void> {
    return this.#metadata.flush()
  }

  ping(): Promise<void> {
    return this.#metadata.ping()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#metadata[Symbol.asyncDispose]()
  }
}
