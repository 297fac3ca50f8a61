/**
 * What the rotation of an access token needs to know of it: for how long it was made, which its end no longer says once a
 * rotation has brought that forward, and from which token it rotated itself.
 */
import type { ColumnTypes } from './column-types.ts'

export function tokenLineageSchema({ integer }: ColumnTypes): readonly string[] {
  return [
    `alter table access_token add column lifetime_ms ${integer}`,
    `alter table access_token add column first_id ${integer}`,
    // The best that is known: a token whose end a rotation brought forward has been replaced already.
    'update access_token set lifetime_ms = expires_at - created_at where expires_at > 0',
    'create index access_token_first on access_token (first_id) where first_id is not null',
    'create index access_token_created_by on access_token (created_by, account_id)',
  ]
}
