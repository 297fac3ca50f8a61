/** Members of organizations. Membership alone gives no rights; grants and team memberships require it. */
import { sql } from 'kysely'
import type { SqlBool } from 'kysely'
import type { Reader, Transaction } from '../handles.ts'
import { raiseRightsVersion } from '../system/rights-version.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { deleteInTurns } from '../sql/delete-rows.ts'
import { pageById } from '../sql/keyset-page.ts'

export interface Membership {
  readonly ownerId: number
  readonly accountId: number
}

export interface Member {
  readonly accountId: number
  readonly name: string
  readonly since: number
}

/** Adds a member. Returns `false` if the account was already a member. */
export async function insertMember(
  tx: Transaction,
  member: Membership & { readonly now: number },
): Promise<boolean> {
  const { ownerId, accountId, now } = member
  const result = await kyselyOf(tx)
    .insertInto('organization_member')
    .values({ owner_id: ownerId, account_id: accountId, created_at: now })
    .onConflict((conflict) => conflict.columns(['owner_id', 'account_id']).doNothing())
    .executeTakeFirst()
  await raiseRightsVersion(tx)
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0
}

/**
 * Removes a member with its grants on the owner and its memberships in the owner's teams. Returns `false` if the account was not
 * a member.
 */
export async function deleteMember(tx: Transaction, member: Membership): Promise<boolean> {
  const { ownerId, accountId } = member
  const deleted = await kyselyOf(tx)
    .deleteFrom('organization_member')
    .where('owner_id', '=', ownerId)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  if (deleted.numDeletedRows === 0n) return false
  await deleteInTurns(tx, 'team_member', {
    key: ['team_id', 'account_id'],
    where: sql<SqlBool>`account_id = ${accountId} and team_id in (select id from team where owner_id = ${ownerId})`,
  })
  await deleteInTurns(tx, 'access_grant', {
    key: ['id'],
    where: sql<SqlBool>`owner_id = ${ownerId} and principal_kind = 'account' and principal_id = ${accountId}`,
  })
  await raiseRightsVersion(tx)
  return true
}

/** Whether the account is a member. On PostgreSQL it then remains a member until the transaction ends. */
export async function isMember(tx: Transaction, { ownerId, accountId }: Membership): Promise<boolean> {
  const query = kyselyOf(tx)
    .selectFrom('organization_member')
    .select('account_id')
    .where('owner_id', '=', ownerId)
    .where('account_id', '=', accountId)
  const row = await (hasRowLocks(tx) ? query.forKeyShare() : query).executeTakeFirst()
  return row !== undefined
}

/** Whether the account is a member of the owner, or has a grant of its own on repositories of the owner. */
export async function isConnected(
  db: Reader,
  { owner, accountId }: { readonly owner: string; readonly accountId: number },
): Promise<boolean> {
  const kysely = kyselyOf(db)
  const member = kysely
    .selectFrom('organization_member')
    .innerJoin('owner', 'owner.id', 'organization_member.owner_id')
    .select('owner.id')
    .where('owner.name', '=', owner)
    .where('organization_member.account_id', '=', accountId)
  const granted = kysely
    .selectFrom('access_grant')
    .innerJoin('owner', 'owner.id', 'access_grant.owner_id')
    .select('owner.id')
    .where('owner.name', '=', owner)
    .where('access_grant.principal_kind', '=', 'account')
    .where('access_grant.principal_id', '=', accountId)
  return (await member.union(granted).executeTakeFirst()) !== undefined
}

/** Lists members in the order of their accounts' ids, after `after` (exclusive). */
export async function listMembers(
  db: Reader,
  page: { readonly ownerId: number; readonly after?: number | undefined; readonly limit: number },
): Promise<Member[]> {
  const members = kyselyOf(db)
    .selectFrom('organization_member')
    .innerJoin('account', 'account.id', 'organization_member.account_id')
    .select(['account.id as accountId', 'account.name', 'organization_member.created_at as since'])
    .where('organization_member.owner_id', '=', page.ownerId)
  return pageById(members, 'organization_member.account_id', page).execute()
}
