/** Access tokens of users and robots, and browser sessions. */
import type { ColumnTypes } from './column-types.ts'

export function credentialsSchema({ id, text, integer, rowTable }: ColumnTypes): readonly string[] {
  return [
    `create table access_token (
      id ${id},
      account_id ${integer} not null references account (id),
      name ${text} not null,
      token_hash ${text} not null unique,
      hint ${text} not null,
      actions ${text},
      patterns ${text},
      created_at ${integer} not null,
      created_by ${text} not null,
      expires_at ${integer},
      used_at ${integer},
      revoked_at ${integer}
    ) ${rowTable}`,
    'create index access_token_account on access_token (account_id, id)',
    'create index access_token_expires on access_token (expires_at) where expires_at is not null',
    'create index access_token_revoked on access_token (revoked_at) where revoked_at is not null',
    `create table browser_session (
      id ${id},
      token_hash ${text} not null unique,
      account_id ${integer} not null references account (id),
      credential_version ${integer} not null,
      created_at ${integer} not null,
      used_at ${integer} not null,
      expires_at ${integer} not null,
      address ${text} not null,
      client ${text}
    ) ${rowTable}`,
    'create index browser_session_account on browser_session (account_id, id)',
    'create index browser_session_expires on browser_session (expires_at)',
    'create index browser_session_used on browser_session (used_at)',
  ]
}
