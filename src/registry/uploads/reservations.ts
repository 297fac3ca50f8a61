/**
 * Sessions that this process started and that have had no writer yet. Their rows name a writer from the start, so that the first
 * request of a session needs no claim. In any other process that request finds a foreign writer and displaces it, like one that
 * hangs. Forgetting an entry only costs that claim.
 */
import { Lru } from '../../lib/memory/lru.ts'
import type { UploadRow } from '../../metadata/content/uploads.ts'

// A few hundred bytes per entry: enough for the sessions of a few seconds under full load.
const entryBytes = 200
const maxBytes = 2 * 1024 * 1024
/** How long a reservation is usable; a claim also keeps a session from expiring, so later a claim is needed. */
export const reservationUsableMs = 60_000

export class Reservations {
  /** The start of the name of every writer reserved here, and of no other writer. */
  readonly prefix: string
  readonly #writers = new Lru<string, string>({ maxBytes })

  /** `process` is unique to this process. */
  constructor(process: string) {
    this.prefix = `reserved/${process}/`
  }

  /** Adds a reservation; the row already contains `writer`. */
  add(id: string, writer: string): void {
    this.#writers.set(id, writer, entryBytes)
  }

  /** Whether the row is still as this process inserted it: no process writes the session. */
  holds({ id, writer }: Pick<UploadRow, 'id' | 'writer'>): boolean {
    return writer !== undefined && this.#writers.get(id) === writer
  }

  /** Removes the reservation; returns its writer if the session's first writer may still start without a claim. */
  take(row: UploadRow, now: number): string | undefined {
    const usable = this.holds(row) && now - row.touchedAt < reservationUsableMs
    this.#writers.delete(row.id)
    return usable ? row.writer : undefined
  }

  forget(id: string): void {
    this.#writers.delete(id)
  }
}
