/**
 * Adds the holder whose ceiling counts an upload session: the principal, or the address of anonymous clients. No ceiling
 * counts the sessions from before the upgrade; they end within a day. Sessions without a byte expire early and have
 * their own index.
 */
import type { ColumnTypes } from './column-types.ts'

export function uploadCeilingSchema({ text }: ColumnTypes): readonly string[] {
  return [
    `alter table upload add column holder ${text}`,
    'drop index upload_principal',
    'create index upload_holder on upload (holder, created_at)',
    'create index upload_empty on upload (touched_at) where byte_offset = 0',
  ]
}
