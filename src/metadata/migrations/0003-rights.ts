/** Organizations with members and teams, former names of owners, and grants of roles on their repositories. */
import type { ColumnTypes } from './column-types.ts'

export function rightsSchema(types: ColumnTypes): readonly string[] {
  return [...peopleTables(types), ...rightsTables(types), ...builtInRoles]
}

function peopleTables({ id, text, integer, rowTable, keyTable }: ColumnTypes): readonly string[] {
  return [
    // A robot is an account that belongs to an owner and logs in only with access tokens.
    `alter table account add column kind ${text} not null default 'user'`,
    `alter table account add column owner_id ${integer} references owner (id)`,
    'create index account_owner on account (owner_id, name) where owner_id is not null',
    'create index account_admin on account (name) where is_admin = 1',
    `create table owner_alias (
      name ${text} not null primary key,
      owner_id ${integer} not null references owner (id),
      created_at ${integer} not null
    ) ${keyTable}`,
    'create index owner_alias_owner on owner_alias (owner_id)',
    `create table organization_member (
      owner_id ${integer} not null references owner (id),
      account_id ${integer} not null references account (id),
      created_at ${integer} not null,
      primary key (owner_id, account_id)
    ) ${keyTable}`,
    'create index organization_member_account on organization_member (account_id)',
    `create table team (
      id ${id},
      owner_id ${integer} not null references owner (id),
      name ${text} not null,
      created_at ${integer} not null,
      unique (owner_id, name)
    ) ${rowTable}`,
    `create table team_member (
      team_id ${integer} not null references team (id),
      account_id ${integer} not null references account (id),
      created_at ${integer} not null,
      primary key (team_id, account_id)
    ) ${keyTable}`,
    'create index team_member_account on team_member (account_id)',
  ]
}

function rightsTables({ id, text, integer, rowTable }: ColumnTypes): readonly string[] {
  return [
    `create table role (
      id ${id},
      name ${text} not null unique,
      actions ${text} not null,
      built_in ${integer} not null,
      created_at ${integer} not null
    ) ${rowTable}`,
    `create table access_grant (
      id ${id},
      owner_id ${integer} not null references owner (id),
      pattern ${text} not null,
      role_id ${integer} not null references role (id),
      principal_kind ${text} not null,
      principal_id ${integer} not null,
      created_at ${integer} not null,
      created_by ${text} not null,
      unique (owner_id, pattern, role_id, principal_kind, principal_id)
    ) ${rowTable}`,
    'create index access_grant_principal on access_grant (principal_kind, principal_id, id)',
    'create index access_grant_owner on access_grant (owner_id, id)',
    'create index access_grant_role on access_grant (role_id)',
    // One row, raised by each change of rights, so that earlier decisions are made again.
    `create table rights_version (
      singleton ${integer} not null primary key check (singleton = 1),
      version ${integer} not null
    ) ${rowTable}`,
    'insert into rights_version (singleton, version) values (1, 1)',
  ]
}

const builtInRoles = [
  ['reader', ['pull']],
  ['writer', ['pull', 'push']],
  ['maintainer', ['pull', 'push', 'delete', 'manage']],
  ['owner', ['pull', 'push', 'delete', 'manage', 'administer']],
].map(
  ([name, actions]) =>
    `insert into role (name, actions, built_in, created_at) values ('${String(name)}', '${JSON.stringify(actions)}', 1, 0)`,
)
