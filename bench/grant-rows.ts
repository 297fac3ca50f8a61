/**
 * @module Fills the database of a stopped registry with the rights of a large organization: creating them one by one would hash a
 * password for each user, and requests see no difference.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const organizations = 100
const grantsEach = 100
const users = 1_000

/**
 * Adds 10,000 grants: in each organization half to users and half to teams of ten. The given user is in one team of every
 * organization and has its own grant in every second one, so 150 of the grants concern it.
 */
export function addGrants(dataDir: string, user: string): void {
  using database = new DatabaseSync(join(dataDir, 'lading.db'))
  database.exec('pragma synchronous = off')
  database.exec('begin')
  const numbers = (count: number) =>
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})`
  database.exec(`
    insert into account (name, password_hash, is_admin, disabled, credential_version, created_at, password_set_at)
      ${numbers(users)} select 'user-' || i, '-', 0, 0, 1, 0, 0 from n;
    insert into owner (name, kind, visibility, created_at)
      ${numbers(organizations)} select 'org-' || i, 'organization', 'public', 0 from n;
    insert into team (owner_id, name, created_at)
      ${numbers(grantsEach / 2)} select owner.id, 'team-' || i, 0 from owner, n where owner.name like 'org-%';
    insert into team_member (team_id, account_id, created_at)
      ${numbers(10)} select team.id, account.id, 0 from team, n, account
      where account.name = 'user-' || (1 + (team.id * 37 + i * 101) % ${users});
    insert into team_member (team_id, account_id, created_at)
      select min(team.id), account.id, 0 from team, account where account.name = '${user}' group by team.owner_id;
    insert into access_grant (owner_id, pattern, role_id, principal_kind, principal_id, created_at, created_by)
      select team.owner_id, 'area-' || team.id || '/**', role.id, 'team', team.id, 0, 'bench'
      from team, role where role.name = 'writer';
    insert into access_grant (owner_id, pattern, role_id, principal_kind, principal_id, created_at, created_by)
      ${numbers(grantsEach / 2)} select owner.id, 'area-' || i || '/*', role.id, 'account', account.id, 0, 'bench'
      from owner, n, role, account where owner.name like 'org-%' and role.name = 'reader'
      and account.name = case when i = 1 and owner.id % 2 = 0 then '${user}' else 'user-' || (1 + (owner.id * 53 + i) % ${users}) end;
    update rights_version set version = version + 1;`)
  const counted = database.prepare('select count(*) as count from access_grant').get()
  if (counted?.['count'] !== organizations * grantsEach)
    throw new Error(`made ${String(counted?.['count'])} grants`)
  database.exec('commit')
  database.exec('pragma wal_checkpoint(truncate)')
}
