/**
 * Sessions that this process started and nobody has written to yet. Their rows name a writer from the start, so that
 * the first request of a session needs no claim; in any other process it finds a foreign writer and displaces it, as
 * it would one that hangs. What is forgotten here costs that claim and nothing else.
 */
import { Lru } from '../../lib/lru.ts'
import type { UploadRow } from '../../metadata/uploads.ts'

// Some hundred bytes per entry: room for the sessions of a few seconds under full load.
const entryBytes = 200
const maxBytes = 2 * 1024 * 1024
/** A claim also keeps a session from expiring; an old reservation therefore counts as none. */
const usableMs = 60_000

export class Reservations {
  readonly #writers = new Lru<string, string>({ maxBytes })

  /** `writer` stands in the row already. */
  add(id: string, writer: string): void {
    this.#writers.set(id, writer, entryBytes)
  }

  /** The row is still as this process inserted it: nobody writes, here or elsewhere. */
  holds({ id, writer }: UploadRow): boolean {
    return writer !== undefined && this.#writers.get(id) === writer
  }

  /** Hands the session to its first writer, if the row shows that it may still do without a claim. */
  take(row: UploadRow, now: number): string | undefined {
    const usable = this.holds(row) && now - row.touchedAt < usableMs
    this.#writers.delete(row.id)
    return usable ? row.writer : undefined
  }

  forget(id: string): void {
    this.#writers.delete(id)
  }
}
