/**
 * Against whose ceiling an upload session counts, which is not always its principal: anonymous clients count by address.
 * Sessions from before the upgrade count against nobody; they end within a day.
 */
import type { ColumnTypes } from './column-types.ts'

export function uploadCeilingSchema({ text }: ColumnTypes): readonly string[] {
  return [
    `alter table upload add column holder ${text}`,
    'drop index upload_principal',
    'create index upload_holder on upload (holder, created_at)',
  ]
}
