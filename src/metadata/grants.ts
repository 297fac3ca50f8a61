/** Grants: a role for an account or a team, on what an owner has below a pattern. */
import { sql } from 'kysely'
import type { Reader } from './handles.ts'
import { compileOnce } from './sql/compile-once.ts'
import type { TemplateInput } from './sql/compile-once.ts'

/** As one of its principals holds it. */
export interface GrantOf {
  readonly id: number
  readonly owner: string
  /** Relative to the owner. */
  readonly pattern: string
  readonly role: string
  /** Of the role. */
  readonly actions: readonly string[]
  /** `acme/dev`, where it is held by way of a team. */
  readonly team: string | undefined
}

interface HeldRow {
  id: number
  owner: string
  pattern: string
  role: string
  actions: string
  team: string | null
  team_owner: string | null
}

const grantsOfAccount = compileOnce<{ accountId: number }, HeldRow>(({ kysely, parameter }) => {
  const own = grantsWithRole(kysely)
    .where('access_grant.principal_kind', '=', sql.lit('account'))
    .where('access_grant.principal_id', '=', parameter('accountId'))
    .select([noText.as('team'), noText.as('team_owner')])
  const ofTeams = grantsWithRole(kysely)
    .innerJoin('team', 'team.id', 'access_grant.principal_id')
    .innerJoin('owner as team_owner', 'team_owner.id', 'team.owner_id')
    .innerJoin('team_member', 'team_member.team_id', 'team.id')
    .where('access_grant.principal_kind', '=', sql.lit('team'))
    .where('team_member.account_id', '=', parameter('accountId'))
    .select(['team.name as team', 'team_owner.name as team_owner'])
  return own.unionAll(ofTeams)
})

/** By name and by all its teams, in no order. On SQLite it answers at once. */
export function listGrantsOf(db: Reader, accountId: number): GrantOf[] | Promise<GrantOf[]> {
  const rows = grantsOfAccount.all(db, { accountId })
  return rows instanceof Promise ? rows.then(grantsOf) : grantsOf(rows)
}

function grantsOf(rows: readonly HeldRow[]): GrantOf[] {
  return rows.map(({ team, team_owner: teamOwner, actions, ...row }) => ({
    ...row,
    actions: JSON.parse(actions) as string[],
    team: team === null || teamOwner === null ? undefined : `${teamOwner}/${team}`,
  }))
}

const noText = sql<string | null>`cast(null as text)`

function grantsWithRole(kysely: TemplateInput<object>['kysely']) {
  return kysely
    .selectFrom('access_grant')
    .innerJoin('role', 'role.id', 'access_grant.role_id')
    .innerJoin('owner', 'owner.id', 'access_grant.owner_id')
    .select(['access_grant.id', 'owner.name as owner', 'access_grant.pattern'])
    .select(['role.name as role', 'role.actions'])
}
