/**
 * Grants: a grant gives an account or a team a role on the repositories of an owner that match a pattern. Each change
 * raises the version of the rights.
 */
import { sql } from 'kysely'
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import { raiseRightsVersion } from '../system/rights-version.ts'
import { compileOnce } from '../sql/compile-once.ts'
import type { TemplateInput } from '../sql/compile-once.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { pageById } from '../sql/keyset-page.ts'

export interface GrantTerms {
  readonly id: number
  readonly owner: string
  /** The pattern, relative to the owner. */
  readonly pattern: string
  readonly role: string
  /** The actions of the role. */
  readonly actions: readonly string[]
}

/** A grant as one of its holders sees it. */
export interface GrantOf extends GrantTerms {
  /** The team through which it is held, as in `acme/dev`. */
  readonly team: string | undefined
}

export interface Grant extends GrantTerms {
  /** The holder: a team as in `acme/dev`, a robot as in `acme+ci`. */
  readonly to: { readonly kind: 'user' | 'robot' | 'team'; readonly name: string }
  readonly createdAt: number
  readonly createdBy: string
}

/** The holder of a grant: an account or a team. */
export interface GrantPrincipal {
  readonly kind: 'account' | 'team'
  readonly id: number
}

export interface NewGrant {
  readonly ownerId: number
  /** The pattern, relative to the owner. */
  readonly pattern: string
  readonly roleId: number
  readonly principal: GrantPrincipal
  readonly createdBy: string
  readonly now: number
}

export interface TermsRow {
  id: number
  owner: string
  pattern: string
  role: string
  actions: string
}

export interface TeamRow {
  team: string | null
  team_owner: string | null
}

type Kysely = TemplateInput<object>['kysely']

const noText = sql<string | null>`cast(null as text)`

const grantsOfAccount = compileOnce<{ accountId: number }, TermsRow & TeamRow>(({ kysely, parameter }) => {
  const own = selectTerms(kysely)
    .where('access_grant.principal_kind', '=', sql.lit('account'))
    .where('access_grant.principal_id', '=', parameter('accountId'))
    .select([noText.as('team'), noText.as('team_owner')])
  const ofTeams = selectTerms(kysely)
    .innerJoin('team', 'team.id', 'access_grant.principal_id')
    .innerJoin('owner as team_owner', 'team_owner.id', 'team.owner_id')
    .innerJoin('team_member', 'team_member.team_id', 'team.id')
    .where('access_grant.principal_kind', '=', sql.lit('team'))
    .where('team_member.account_id', '=', parameter('accountId'))
    .select(['team.name as team', 'team_owner.name as team_owner'])
  return own.unionAll(ofTeams)
})

/** Lists the grants of an account and of all its teams, in no particular order. On SQLite it answers at once. */
export function listGrantsOf(db: Reader, accountId: number): MaybePromise<GrantOf[]> {
  return andThen(grantsOfAccount.all(db, { accountId }), heldOf)
}

/**
 * Returns the id of the new grant, or of an existing one with the same terms. Throws `Conflict` if the account or team
 * was deleted.
 */
export async function insertGrant(
  tx: Transaction,
  grant: NewGrant,
): Promise<{ readonly id: number; readonly isNew: boolean }> {
  const kysely = kyselyOf(tx)
  const key = {
    owner_id: grant.ownerId,
    pattern: grant.pattern,
    role_id: grant.roleId,
    principal_kind: grant.principal.kind,
    principal_id: grant.principal.id,
  }
  const inserted = await kysely
    .insertInto('access_grant')
    .values({ ...key, created_at: grant.now, created_by: grant.createdBy })
    .onConflict((conflict) =>
      conflict.columns(['owner_id', 'pattern', 'role_id', 'principal_kind', 'principal_id']).doNothing(),
    )
    .returning('id')
    .executeTakeFirst()
  await raiseRightsVersion(tx)
  await holdPrincipal(tx, grant.principal)
  if (inserted !== undefined) return { id: inserted.id, isNew: true }
  const existing = await kysely
    .selectFrom('access_grant')
    .select('id')
    .where((eb) => eb.and(key))
    .executeTakeFirstOrThrow()
  return { id: existing.id, isNew: false }
}

/**
 * Keeps the account or team from being deleted until the transaction ends, because a foreign key cannot refer to two
 * tables.
 */
async function holdPrincipal(tx: Transaction, { kind, id }: GrantPrincipal): Promise<void> {
  const query = kyselyOf(tx).selectFrom(kind).select('id').where('id', '=', id)
  const row = await (hasRowLocks(tx) ? query.forKeyShare() : query).executeTakeFirst()
  if (row === undefined) throw new Conflict(`${kind} ${id} was deleted while a role was granted to it`)
}

/** Counts the grants on an owner, for one principal or for all. */
export async function countGrants(
  db: Reader,
  { ownerId, principal }: { readonly ownerId: number; readonly principal?: GrantPrincipal },
): Promise<number> {
  let query = kyselyOf(db)
    .selectFrom('access_grant')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('owner_id', '=', ownerId)
  if (principal !== undefined) {
    query = query.where('principal_kind', '=', principal.kind).where('principal_id', '=', principal.id)
  }
  return (await query.executeTakeFirstOrThrow()).count
}

/** Deletes a grant and returns it; `undefined` if it does not exist. */
export async function deleteGrant(tx: Transaction, id: number): Promise<Grant | undefined> {
  const grant = await findGrant(tx, id)
  if (grant === undefined) return undefined
  await kyselyOf(tx).deleteFrom('access_grant').where('id', '=', id).execute()
  await raiseRightsVersion(tx)
  return grant
}

export async function findGrant(db: Reader, id: number): Promise<Grant | undefined> {
  const row = await selectGrants(kyselyOf(db)).where('access_grant.id', '=', id).executeTakeFirst()
  return row && grantOf(row)
}

/** Lists the grants on an owner, of a principal, both, or all, in the order of their ids, after `after` (exclusive). */
export async function listGrants(
  db: Reader,
  page: {
    readonly ownerId?: number | undefined
    readonly principal?: GrantPrincipal | undefined
    readonly after?: number | undefined
    readonly limit: number
  },
): Promise<Grant[]> {
  const { ownerId, principal } = page
  let grants = selectGrants(kyselyOf(db))
  if (ownerId !== undefined) grants = grants.where('access_grant.owner_id', '=', ownerId)
  if (principal !== undefined) {
    grants = grants
      .where('access_grant.principal_kind', '=', principal.kind)
      .where('access_grant.principal_id', '=', principal.id)
  }
  return (await pageById(grants, 'access_grant.id', page).execute()).map(grantOf)
}

function selectTerms(kysely: Kysely) {
  return kysely
    .selectFrom('access_grant')
    .innerJoin('role', 'role.id', 'access_grant.role_id')
    .innerJoin('owner', 'owner.id', 'access_grant.owner_id')
    .select(['access_grant.id', 'owner.name as owner', 'access_grant.pattern'])
    .select(['role.name as role', 'role.actions'])
}

/** Selects grants with the account or the team that holds them. */
export function selectGrantees(kysely: Kysely) {
  return selectTerms(kysely)
    .leftJoin('account', (join) =>
      join
        .onRef('account.id', '=', 'access_grant.principal_id')
        .on('access_grant.principal_kind', '=', sql.lit('account')),
    )
    .leftJoin('team', (join) =>
      join
        .onRef('team.id', '=', 'access_grant.principal_id')
        .on('access_grant.principal_kind', '=', sql.lit('team')),
    )
    .leftJoin('owner as team_owner', 'team_owner.id', 'team.owner_id')
    .select(['team.name as team', 'team_owner.name as team_owner'])
}

function selectGrants(kysely: Kysely) {
  return selectGrantees(kysely)
    .select(['account.name as account', 'account.kind as account_kind'])
    .select(['access_grant.created_at', 'access_grant.created_by'])
}

type GrantRow = TermsRow &
  TeamRow & {
    account: string | null
    account_kind: 'user' | 'robot' | null
    created_at: number
    created_by: string
  }

function grantOf(row: GrantRow): Grant {
  const team = teamOf(row)
  return {
    ...termsOf(row),
    to:
      team === undefined
        ? { kind: row.account_kind ?? 'user', name: row.account ?? '' }
        : { kind: 'team', name: team },
    createdAt: row.created_at,
    createdBy: row.created_by,
  }
}

/** Parses each role's list of actions only once: there are few roles and many grants. */
function heldOf(rows: readonly (TermsRow & TeamRow)[]): GrantOf[] {
  const parsed = new Map<string, readonly string[]>()
  return rows.map(({ id, owner, pattern, role, actions: json, ...row }) => {
    const actions = parsed.get(json) ?? (JSON.parse(json) as string[])
    parsed.set(json, actions)
    return { id, owner, pattern, role, actions, team: teamOf(row) }
  })
}

export function termsOf({ id, owner, pattern, role, actions }: TermsRow): GrantTerms {
  return { id, owner, pattern, role, actions: JSON.parse(actions) as string[] }
}

export function teamOf({ team, team_owner: owner }: TeamRow): string | undefined {
  return team === null || owner === null ? undefined : `${owner}/${team}`
}
