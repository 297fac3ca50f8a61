/** Adds the times that limit the sweep's judgement, and the time of the next attempt to delete a storage key. */
import type { ColumnTypes } from './column-types.ts'

export function storeSafetySchema({ integer }: ColumnTypes): readonly string[] {
  return [
    `alter table installation add column judges_since ${integer} not null default 0`,
    `alter table installation add column accepted_at ${integer}`,
    // A database that adopted an older store was created at that time.
    'update installation set judges_since = created_at where singleton = 1',
    `alter table dead_key add column attempts ${integer} not null default 0`,
    `alter table dead_key add column retry_at ${integer} not null default 0`,
    'create index dead_key_due on dead_key (retry_at, since, storage_key)',
  ]
}
