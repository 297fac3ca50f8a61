/** Deletes an owner whose repositories are gone, with everything that exists through it. */
import type { ExpressionBuilder } from 'kysely'
import type { RepositoryName } from '../oci/repository-name.ts'
import { deleteAccount } from './accounts.ts'
import type { Transaction } from './handles.ts'
import { OwnerHasRemains, OwnerNotEmpty, OwnerUnknown } from './owner-errors.ts'
import type { Owner } from './owners.ts'
import { listRemains } from './repository-remains.ts'
import { raiseRightsVersion } from './rights-version.ts'
import type { Schema } from './schema.ts'
import { hasRowLocks, kyselyOf } from './sql/database.ts'

type OwnerKey = Pick<Owner, 'id' | 'name' | 'kind'>

/**
 * Robots, teams, members, grants, tokens and old names go with it, and the account of a user. Throws `OwnerUnknown`,
 * `OwnerNotEmpty`, `OwnerHasRemains`; `Conflict` when a repository is made meanwhile.
 */
export async function deleteOwner(tx: Transaction, name: string): Promise<OwnerKey> {
  const kysely = kyselyOf(tx)
  const query = kysely.selectFrom('owner').select(['id', 'name', 'kind']).where('name', '=', name)
  const owner = await (hasRowLocks(tx) ? query.forUpdate() : query).executeTakeFirst()
  if (owner === undefined) throw new OwnerUnknown(name)
  // The range of names "<name>/...": the character after the slash ends it.
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
  await deleteTeams(tx, owner.id)
  await kysely.deleteFrom('access_grant').where('owner_id', '=', owner.id).execute()
  await kysely.deleteFrom('organization_member').where('owner_id', '=', owner.id).execute()
  await kysely.deleteFrom('owner_alias').where('owner_id', '=', owner.id).execute()
  await deleteAccounts(tx, owner)
  await kysely.deleteFrom('owner').where('id', '=', owner.id).execute()
  await raiseRightsVersion(tx)
  return owner
}

async function deleteTeams(tx: Transaction, ownerId: number): Promise<void> {
  const kysely = kyselyOf(tx)
  const teams = (eb: Pick<ExpressionBuilder<Schema, never>, 'selectFrom'>) =>
    eb.selectFrom('team').select('team.id').where('team.owner_id', '=', ownerId)
  await kysely
    .deleteFrom('access_grant')
    .where('principal_kind', '=', 'team')
    .where('principal_id', 'in', teams(kysely))
    .execute()
  await kysely.deleteFrom('team_member').where('team_id', 'in', teams(kysely)).execute()
  await kysely.deleteFrom('team').where('owner_id', '=', ownerId).execute()
}

/** The robots of the owner, and the account of a user, with what they log in with and where they belong. */
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
  for (const { id } of accounts) await deleteAccount(tx, id)
}
