/** Adds indexes for long lists that leave out hidden rows, and the key of the cursors. */
import type { ColumnTypes } from './column-types.ts'

export function listsSchema({ text, integer, rowTable, randomKey }: ColumnTypes): readonly string[] {
  return [
    'create index owner_visibility on owner (kind, visibility, name)',
    // Users are listed without reading robots, which may be far more numerous, and vice versa.
    'create index account_kind on account (kind, name)',
    // One row; cursors are sealed because they contain names that their reader must not see.
    `create table list_cursor_key (
      singleton ${integer} not null primary key check (singleton = 1),
      key ${text} not null
    ) ${rowTable}`,
    `insert into list_cursor_key (singleton, key) values (1, ${randomKey})`,
  ]
}
