/**
 * Sessions that this process started and nobody has written to yet. Their rows name a writer from the start, so that
 * the first request of a session needs no claim; in any other process it finds a foreign writer and displaces it, as
 * it would one that hangs. What is forgotten here costs that claim and nothing else.
 */
import { Lru } from '../../lib/memory/lru.ts'
import type { UploadRow } from '../../metadata/content/uploads.ts'

// Some hundred bytes per entry: room for the sessions of a few seconds under full load.
const entryBytes = 200
const maxBytes = 2 * 1024 * 1024
/** A claim also keeps a session from expiring; an old reservation therefore counts as none. */
export const reservationUsableMs = 60_000

export class Reservations {
  /** Starts the name of each writer that is reserved here, and of no other. */
  readonly prefix: string
  readonly #writers = new Lru<string, string>({ maxBytes })

  /** `process` is unique to this process. */
  constructor(process: string) {
    this.prefix = `reserved/${process}/`
  }

  /** `writer` stands in the row already. */
  add(id: string, writer: string): void {
    this.#writers.set(id, writer, entryBytes)
  }

  /** The row is still as this process inserted it: nobody writes, here or elsewhere. */
  holds({ id, writer }: Pick<UploadRow, 'id' | 'writer'>): boolean {
    return writer !== undefined && this.#writers.get(id) === writer
  }

  /** Hands the session to its first writer, if the row shows that it may still do without a claim. */
  take(row: UploadRow, now: number): string | undefined {
    const usable = this.holds(row) && now - row.touchedAt < reservationUsableMs
    this.#writers.delete(row.id)
    return usable ? row.writer : undefined
  }

  forget(id: string): void {
    this.#writers.delete(id)
  }
}
