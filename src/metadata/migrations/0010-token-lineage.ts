/**
 * Adds two columns for the rotation of access tokens: the original lifetime, which can no longer be derived from the end
 * after a rotation has brought that forward, and the first token of the lineage.
 */
import type { ColumnTypes } from './column-types.ts'

export function tokenLineageSchema({ integer }: ColumnTypes): readonly string[] {
  return [
    `alter table access_token add column lifetime_ms ${integer}`,
    `alter table access_token add column first_id ${integer}`,
    // The best estimate: a token whose end a rotation brought forward has already been replaced.
    'update access_token set lifetime_ms = expires_at - created_at where expires_at > 0',
    'create index access_token_first on access_token (first_id) where first_id is not null',
    'create index access_token_created_by on access_token (created_by, account_id)',
  ]
}
