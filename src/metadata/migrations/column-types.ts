/** The words in which the two dialects' table definitions differ; the rest of a migration is shared. */
import type { Dialect } from '../sql/database.ts'

export interface ColumnTypes {
  /** A row id that is never used again. */
  readonly id: string
  /** Compared and sorted by bytes. */
  readonly text: string
  /** Counts, sizes, times in milliseconds, booleans as 0 and 1. */
  readonly integer: string
  readonly bytes: string
  /** An expression: text of at least 240 random bits. */
  readonly randomKey: string
  /** What follows a table that is looked up by its row id, or holds long rows. */
  readonly rowTable: string
  /** What follows a table of short rows that is looked up by its primary key. */
  readonly keyTable: string
}

export const columnTypes: Readonly<Record<Dialect, ColumnTypes>> = {
  sqlite: {
    id: 'integer primary key autoincrement',
    text: 'text',
    integer: 'integer',
    bytes: 'blob',
    randomKey: 'lower(hex(randomblob(32)))',
    rowTable: 'strict',
    keyTable: 'strict, without rowid',
  },
  postgres: {
    id: 'bigint generated always as identity primary key',
    text: 'text collate "C"',
    integer: 'bigint',
    bytes: 'bytea',
    randomKey: `replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')`,
    rowTable: '',
    keyTable: '',
  },
}
