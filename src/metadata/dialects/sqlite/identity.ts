/**
 * Notices that the database file holds another database: `.restore` of the sqlite3 tool overwrites a database through SQLite, so
 * that the file stays the one that was opened.
 */
import type { Kysely } from 'kysely'
import { messageOf } from '../../../lib/message-of.ts'
import type { Schema } from '../../schema.ts'

export class SqliteIdentity {
  readonly #file: string
  readonly #kysely: Kysely<Schema>
  #expected: string | undefined

  constructor(file: string, kysely: Kysely<Schema>) {
    this.#file = file
    this.#kysely = kysely
  }

  /** Until it is called every database is accepted. */
  expect(installationId: string): void {
    this.#expected = installationId
  }

  /** Says which database the file holds if it is not the expected one; `undefined` also if the file cannot be read now. */
  async findForeign(): Promise<string | undefined> {
    if (this.#expected === undefined) return undefined
    const found = await this.#readId()
    if (found === this.#expected || found === 'unknown') return undefined
    const content = found === undefined ? 'no registry' : `the registry of installation ${found}`
    return `another database was copied into ${this.#file} while the registry used it: it holds ${content}, not that of installation ${this.#expected}`
  }

  async #readId(): Promise<string | undefined> {
    try {
      const query = this.#kysely.selectFrom('installation').select('id').where('singleton', '=', 1)
      return (await query.executeTakeFirst())?.id
    } catch (error) {
      // A busy or damaged file is the concern of the queries; without the table it is the database of something else.
      return messageOf(error).startsWith('no such table') ? undefined : 'unknown'
    }
  }
}
