/** Teams of organizations: groups of members that receive roles together. */
import { sql } from 'kysely'
import type { SqlBool } from 'kysely'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import type { Member } from './members.ts'
import { raiseRightsVersion } from '../system/rights-version.ts'
import { kyselyOf } from '../sql/database.ts'
import { deleteInTurns } from '../sql/delete-rows.ts'
import { pageById, pageByName } from '../sql/keyset-page.ts'

export interface Team {
  readonly id: number
  readonly name: string
  readonly createdAt: number
}

interface TeamName {
  readonly ownerId: number
  readonly name: string
}

interface TeamPlace {
  readonly teamId: number
  readonly accountId: number
}

/** Creates a team. Throws `Conflict` if the owner has a team of that name. */
export async function insertTeam(
  tx: Transaction,
  team: TeamName & { readonly now: number },
): Promise<number> {
  const row = await kyselyOf(tx)
    .insertInto('team')
    .values({ owner_id: team.ownerId, name: team.name, created_at: team.now })
    .onConflict((conflict) => conflict.columns(['owner_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (row === undefined) throw new Conflict(`the team ${team.name} already exists`)
  return row.id
}

export async function findTeam(db: Reader, { ownerId, name }: TeamName): Promise<Team | undefined> {
  return selectTeams(db, ownerId).where('name', '=', name).executeTakeFirst()
}

/** Lists teams in byte order of their names, after `after` (exclusive). */
export async function listTeams(
  db: Reader,
  page: { readonly ownerId: number; readonly after?: string | undefined; readonly limit: number },
): Promise<Team[]> {
  return pageByName(selectTeams(db, page.ownerId), 'name', page).execute()
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the builder's type is the query itself
function selectTeams(db: Reader, ownerId: number) {
  return kyselyOf(db)
    .selectFrom('team')
    .select(['id', 'name', 'created_at as createdAt'])
    .where('owner_id', '=', ownerId)
}

/** Deletes a team with its members and its grants. */
export async function deleteTeam(tx: Transaction, id: number): Promise<void> {
  await deleteInTurns(tx, 'team_member', {
    key: ['team_id', 'account_id'],
    where: sql<SqlBool>`team_id = ${id}`,
  })
  await deleteInTurns(tx, 'access_grant', {
    key: ['id'],
    where: sql<SqlBool>`principal_kind = 'team' and principal_id = ${id}`,
  })
  await kyselyOf(tx).deleteFrom('team').where('id', '=', id).execute()
  await raiseRightsVersion(tx)
}

/** Adds an account to the team. Returns `false` if it already is a member. */
export async function insertTeamMember(
  tx: Transaction,
  place: TeamPlace & { readonly now: number },
): Promise<boolean> {
  const result = await kyselyOf(tx)
    .insertInto('team_member')
    .values({ team_id: place.teamId, account_id: place.accountId, created_at: place.now })
    .onConflict((conflict) => conflict.columns(['team_id', 'account_id']).doNothing())
    .executeTakeFirst()
  await raiseRightsVersion(tx)
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0
}

/** Removes an account from the team. Returns `false` if it was not a member. */
export async function deleteTeamMember(tx: Transaction, place: TeamPlace): Promise<boolean> {
  const result = await kyselyOf(tx)
    .deleteFrom('team_member')
    .where('team_id', '=', place.teamId)
    .where('account_id', '=', place.accountId)
    .executeTakeFirst()
  await raiseRightsVersion(tx)
  return result.numDeletedRows > 0n
}

/** Lists the members in the order of their accounts' ids, after `after` (exclusive). */
export async function listTeamMembers(
  db: Reader,
  page: { readonly teamId: number; readonly after?: number | undefined; readonly limit: number },
): Promise<Member[]> {
  const members = kyselyOf(db)
    .selectFrom('team_member')
    .innerJoin('account', 'account.id', 'team_member.account_id')
    .select(['account.id as accountId', 'account.name', 'team_member.created_at as since'])
    .where('team_member.team_id', '=', page.teamId)
  return pageById(members, 'team_member.account_id', page).execute()
}
