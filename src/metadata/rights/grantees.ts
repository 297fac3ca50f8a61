/** Lists the holders of grants on an owner: the grants page by page, and the members of a team page by page. */
import { isOut } from '../identity/accounts.ts'
import { selectGrantees, teamOf, termsOf } from './grants.ts'
import type { GrantTerms, TeamRow, TermsRow } from './grants.ts'
import type { Reader } from '../handles.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { pageById } from '../sql/keyset-page.ts'

export interface GranteeAccount {
  readonly id: number
  readonly name: string
  readonly kind: 'user' | 'robot'
  /** Also set for a robot of a disabled user. */
  readonly disabled: boolean
}

/** A grant to one account, or to the members of a team. */
export interface GranteeGrant extends GrantTerms {
  readonly account: GranteeAccount | undefined
  readonly team: { readonly id: number; readonly name: string } | undefined
}

interface AccountRow {
  account_id: number
  account_name: string
  account_kind: 'user' | 'robot'
  account_disabled: 0 | 1
}

type GrantRow = TermsRow &
  TeamRow & { team_id: number | null } & (AccountRow | { [Column in keyof AccountRow]: null })

const accountColumns = [
  'account.id as account_id',
  'account.name as account_name',
  'account.kind as account_kind',
  isOut.as('account_disabled'),
] as const

const grantsOnOwner = compileOnce<{ ownerId: number; after: number; limit: number }, GrantRow>(
  ({ kysely, parameter }) =>
    pageById(
      selectGrantees(kysely)
        .select('team.id as team_id')
        .select(accountColumns)
        .where('access_grant.owner_id', '=', parameter('ownerId')),
      'access_grant.id',
      { after: parameter('after'), limit: parameter('limit') },
    ).$castTo<GrantRow>(),
)

const accountsOfTeam = compileOnce<{ teamId: number; after: number; limit: number }, AccountRow>(
  ({ kysely, parameter }) =>
    pageById(
      kysely
        .selectFrom('team_member')
        .innerJoin('account', 'account.id', 'team_member.account_id')
        .select(accountColumns)
        .where('team_member.team_id', '=', parameter('teamId')),
      'team_member.account_id',
      { after: parameter('after'), limit: parameter('limit') },
    ),
)

/** Lists all grants on an owner in the order of their ids, after `after` (exclusive). */
export async function listGrantsOn(
  db: Reader,
  page: { readonly ownerId: number; readonly after: number; readonly limit: number },
): Promise<GranteeGrant[]> {
  const rows = await grantsOnOwner.all(db, page)
  return rows.map((row) => {
    const team = teamOf(row)
    return {
      ...termsOf(row),
      account: row.account_id === null ? undefined : accountOf(row),
      team: team === undefined || row.team_id === null ? undefined : { id: row.team_id, name: team },
    }
  })
}

/** Lists the accounts of a team in the order of their ids, after `after` (exclusive). */
export async function listTeamAccounts(
  db: Reader,
  page: { readonly teamId: number; readonly after: number; readonly limit: number },
): Promise<GranteeAccount[]> {
  const rows = await accountsOfTeam.all(db, page)
  return rows.map(accountOf)
}

function accountOf(row: AccountRow): GranteeAccount {
  return {
    id: row.account_id,
    name: row.account_name,
    kind: row.account_kind,
    disabled: row.account_disabled === 1,
  }
}
