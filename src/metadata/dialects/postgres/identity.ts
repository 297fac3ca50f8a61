/**
 * Notices that the name of the database leads to another one: a server that was moved, a database that was renamed, or made
 * anew. The pool connects again without a word, and what is written then is in the database of somebody else. `CheckedPool`
 * asks for each connection that it hands out.
 */
import { MetadataUnavailable } from '../../errors.ts'

/** What is asked of a connection: one row with the column `id`, or none. */
export const installationQuery = 'select id from installation where singleton = 1'

export class PostgresIdentity {
  #expected: string | undefined

  /** Until it is called every database is accepted. */
  expect(installationId: string): void {
    this.#expected = installationId
  }

  /** Calls `readId` only when there is something to compare with. Throws `MetadataUnavailable`, and what `readId` throws. */
  async check(readId: () => Promise<string | undefined>): Promise<void> {
    if (this.#expected === undefined) return
    const found = await readId()
    if (found === this.#expected) return
    throw new MetadataUnavailable(
      `metadata.url leads to ${found === undefined ? 'an empty database' : `the database of installation ${found}`} now, but this server was started with that of installation ${this.#expected}; nothing is read or written there. Lead it back, or set metadata.url and start again`,
      { retryable: false },
    )
  }
}
