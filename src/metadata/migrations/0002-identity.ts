/** Accounts, the keys that sign their tokens, and login attempts. */
import type { ColumnTypes } from './column-types.ts'

export function identitySchema(types: ColumnTypes): readonly string[] {
  return [
    ...accountTables(types),
    ...loginTables(types),
    // For the deletion of a repository, which ends its sessions.
    'create index upload_repository on upload (repository)',
  ]
}

function accountTables({ id, text, integer, rowTable }: ColumnTypes): readonly string[] {
  return [
    `create table account (
      id ${id},
      name ${text} not null unique,
      password_hash ${text} not null,
      is_admin ${integer} not null,
      disabled ${integer} not null,
      credential_version ${integer} not null,
      created_at ${integer} not null,
      password_set_at ${integer} not null
    ) ${rowTable}`,
    `create table refresh_token (
      id ${id},
      token_hash ${text} not null unique,
      account_id ${integer} not null references account (id),
      credential_version ${integer} not null,
      client_id ${text},
      created_at ${integer} not null,
      used_at ${integer} not null
    ) ${rowTable}`,
    'create index refresh_token_account on refresh_token (account_id, id)',
  ]
}

function loginTables({ id, text, integer, rowTable }: ColumnTypes): readonly string[] {
  return [
    `create table signing_key (
      kid ${text} not null primary key,
      state ${text} not null,
      public_key ${text} not null,
      private_key ${text},
      created_at ${integer} not null,
      verify_until ${integer}
    ) ${rowTable}`,
    'create index signing_key_state on signing_key (state, created_at, kid)',
    `create table login_event (
      id ${id},
      at ${integer} not null,
      account_id ${integer},
      method ${text} not null,
      outcome ${text} not null,
      address ${text} not null,
      client ${text}
    ) ${rowTable}`,
    'create index login_event_at on login_event (at)',
  ]
}
