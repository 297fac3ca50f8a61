/**
 * Detects that the connection URL leads to another database: a server was moved, or a database was renamed or recreated.
 * The pool reconnects silently, and writes would then go to the wrong database. `CheckedPool` checks each connection
 * that it hands out.
 */
import { MetadataUnavailable } from '../../errors.ts'

/** The query that reads the installation id: one row with the column `id`, or none. */
export const installationQuery = 'select id from installation where singleton = 1'

export class PostgresIdentity {
  #expected: string | undefined

  /** Sets the expected installation; until then every database is accepted. */
  expect(installationId: string): void {
    this.#expected = installationId
  }

  /**
   * Compares the installation with the expected one; calls `readId` only if one is expected. Throws
   * `MetadataUnavailable`, and the errors of `readId`.
   */
  async check(readId: () => Promise<string | undefined>): Promise<void> {
    if (this.#expected === undefined) return
    const found = await readId()
    if (found === this.#expected) return
    throw new MetadataUnavailable(
      `metadata.url leads to ${found === undefined ? 'an empty database' : `the database of installation ${found}`} now, but this server was started with the database of installation ${this.#expected}, and reads and writes nothing in the other one. Restore the original database at this address, or correct metadata.url and restart`,
      { retryable: false },
    )
  }
}
