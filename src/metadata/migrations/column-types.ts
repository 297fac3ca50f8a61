/** The parts of table definitions that differ between the two dialects; the rest of a migration is shared. */
import type { Dialect } from '../sql/database.ts'

export interface ColumnTypes {
  /** A row id that is never reused. */
  readonly id: string
  /** Text that is compared and sorted by bytes. */
  readonly text: string
  /** Counts, sizes, times in milliseconds, and booleans as 0 and 1. */
  readonly integer: string
  readonly bytes: string
  /** An expression for text with at least 240 random bits. */
  readonly randomKey: string
  /** The options of a table that is looked up by its row id, or has long rows. */
  readonly rowTable: string
  /** The options of a table of short rows that is looked up by its primary key. */
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
