/** Deletes an owner that has no repositories left, with everything that depends on it. */
import { sql } from 'kysely'
import type { SqlBool } from 'kysely'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { deleteAccount } from '../identity/accounts.ts'
import type { Transaction } from '../handles.ts'
import { OwnerHasRemains, OwnerNotEmpty, OwnerUnknown } from '../owners/owner-errors.ts'
import type { Owner } from '../owners/owners.ts'
import { listRemains } from './repository-remains.ts'
import { raiseRightsVersion } from '../system/rights-version.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { deleteInTurns } from '../sql/delete-rows.ts'
import { pause } from '../sql/pause.ts'

type OwnerKey = Pick<Owner, 'id' | 'name' | 'kind'>

/**
 * Deletes an owner with its robots, teams, members, grants, tokens and former names, and the account of a user. Throws
 * `OwnerUnknown`, `OwnerNotEmpty` and `OwnerHasRemains`; `Conflict` if a repository is created at the same time.
 */
export async function deleteOwner(tx: Transaction, name: string): Promise<OwnerKey> {
  const kysely = kyselyOf(tx)
  const query = kysely.selectFrom('owner').select(['id', 'name', 'kind']).where('name', '=', name)
  const owner = await (hasRowLocks(tx) ? query.forUpdate() : query).executeTakeFirst()
  if (owner === undefined) throw new OwnerUnknown(name)
  // The range of names "<name>/...": `0` is the character after the slash.
  const repository = await kysely
    .selectFrom('repository')
    .select('name')
    .where('name', '>', `${name}/`)
    .where('name', '<', `${name}0`)
    .orderBy('name')
    .limit(1)
    .executeTakeFirst()
  if (repository !== undefined) throw new OwnerNotEmpty(name, repository.name as RepositoryName)
  const [remains] = await listRemains(tx, { ownerId: owner.id, limit: 1 })
  if (remains !== undefined) throw new OwnerHasRemains(name, owner.id)
  const isOwners = sql<SqlBool>`owner_id = ${owner.id}`
  await deleteTeams(tx, owner.id)
  await deleteInTurns(tx, 'access_grant', { key: ['id'], where: isOwners })
  await deleteInTurns(tx, 'organization_member', { key: ['owner_id', 'account_id'], where: isOwners })
  await deleteInTurns(tx, 'owner_alias', { key: ['name'], where: isOwners })
  await deleteAccounts(tx, owner)
  await kysely.deleteFrom('owner').where('id', '=', owner.id).execute()
  await raiseRightsVersion(tx)
  return owner
}

async function deleteTeams(tx: Transaction, ownerId: number): Promise<void> {
  const teams = sql`select id from team where owner_id = ${ownerId}`
  await deleteInTurns(tx, 'access_grant', {
    key: ['id'],
    where: sql<SqlBool>`principal_kind = 'team' and principal_id in (${teams})`,
  })
  await deleteInTurns(tx, 'team_member', {
    key: ['team_id', 'account_id'],
    where: sql<SqlBool>`team_id in (${teams})`,
  })
  await deleteInTurns(tx, 'team', { key: ['id'], where: sql<SqlBool>`owner_id = ${ownerId}` })
}

/** Deletes the robots of the owner, and the account of a user, with their credentials and memberships. */
async function deleteAccounts(tx: Transaction, owner: OwnerKey): Promise<void> {
  const kysely = kyselyOf(tx)
  const accounts = await kysely
    .selectFrom('account')
    .select('id')
    .where((eb) => {
      const robots = eb('owner_id', '=', owner.id)
      if (owner.kind === 'organization') return robots
      return eb.or([robots, eb.and([eb('kind', '=', 'user'), eb('name', '=', owner.name)])])
    })
    .execute()
  for (const { id } of accounts) {
    await deleteAccount(tx, id)
    await pause(tx)
  }
}
