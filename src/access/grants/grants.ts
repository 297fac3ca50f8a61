/** Manages the grants below an owner. A change takes effect with the next request. */
import { findAccount } from '../../metadata/identity/accounts.ts'
import type { AuditDetail } from '../../metadata/audit/audit-trail.ts'
import { countGrants, deleteGrant, findGrant, insertGrant, listGrants } from '../../metadata/rights/grants.ts'
import type { Grant, GrantPrincipal } from '../../metadata/rights/grants.ts'
import type { Reader, Transaction } from '../../metadata/handles.ts'
import { findOwner } from '../../metadata/owners/owners.ts'
import { holdRole } from '../../metadata/rights/roles.ts'
import { findTeam } from '../../metadata/owners/teams.ts'
import { OwnerUnknownError } from '../../identity/accounts/account-errors.ts'
import { requireStanding } from '../../identity/actor-standing.ts'
import type { Actor } from '../../identity/actor.ts'
import { parsePatternBelow } from '../patterns/repository-pattern.ts'
import { GranteeUnknownError, GrantUnknownError, RoleUnknownError, TooManyGrantsError } from './errors.ts'
import type { RoleDeps } from './roles.ts'

export type { Grant }

export interface GrantRequest {
  readonly owner: string
  /** Relative to the owner, see `parsePatternBelow`: `**` matches everything, `web/**` a part. */
  readonly repositories: string
  readonly role: string
  /** `<user>`, `<owner>/<team>` or `<owner>+<robot>`; a team can have grants only on its own organization. */
  readonly to: string
}

export interface GrantFilter {
  /** Only grants on repositories of this owner. */
  readonly owner?: string | undefined
  /** Only grants to this grantee directly, not through a team; spelled as in `GrantRequest`. */
  readonly to?: string | undefined
}

export interface Grants {
  /**
   * Adds the grant and returns it; returns the existing one if it exists. Throws `PatternInvalidError`, `OwnerUnknownError`,
   * `RoleUnknownError`, `GranteeUnknownError`, `TooManyGrantsError`.
   */
  add(grant: GrantRequest, actor: Actor): Promise<Grant>
  find(id: number): Promise<Grant | undefined>
  /** Lists grants in order of their ids, after `after` (exclusive). Throws `OwnerUnknownError`, `GranteeUnknownError`. */
  list(page: GrantFilter & { readonly after?: number | undefined; readonly limit: number }): Promise<Grant[]>
  /** Removes the grant and returns it. Throws `GrantUnknownError`. */
  remove(id: number, actor: Actor): Promise<Grant>
}

/** All grants are read again after every change of rights, so their number is bounded. */
const maxPerOwner = 10_000
const maxPerGrantee = 200

export function createGrants(deps: RoleDeps): Grants {
  const { reader } = deps.metadata
  return {
    add: (grant, actor) => deps.metadata.transact((tx) => addGrant(deps, tx, { ...grant, actor })),
    find: (id) => findGrant(reader, id),
    async list({ owner, to, after, limit }) {
      const ownerId = owner === undefined ? undefined : await getOwnerId(reader, owner)
      const principal = to === undefined ? undefined : await getGrantee(reader, to, ownerId)
      return listGrants(reader, { ownerId, principal, after, limit })
    },
    remove: (id, actor) => deps.metadata.transact((tx) => removeGrant(deps, tx, { id, actor })),
  }
}

/** Adds a grant within another transaction. Throws the errors of `Grants.add`. */
export async function addGrant(
  { clock, audit }: Pick<RoleDeps, 'clock' | 'audit'>,
  tx: Transaction,
  { owner, repositories, role: roleName, to, actor }: GrantRequest & { readonly actor: Actor },
): Promise<Grant> {
  const pattern = parsePatternBelow(owner, repositories)
  await requireStanding(tx, actor, clock)
  const ownerId = await getOwnerId(tx, owner)
  const role = await holdRole(tx, roleName)
  if (role === undefined) throw new RoleUnknownError(roleName)
  const principal = await getGrantee(tx, to, ownerId)
  const terms = { ownerId, pattern, roleId: role.id, principal }
  const { id, isNew } = await insertGrant(tx, { ...terms, createdBy: actor.id, now: clock.now() })
  const grant = await findGrant(tx, id)
  if (grant === undefined) throw new Error(`grant ${id} is missing in the transaction that added it`)
  if (isNew) {
    await checkCount(tx, { owner, ownerId, principal, to })
    const target = { kind: 'owner', name: owner } as const
    const detail = describeGrant(grant)
    await audit.change(tx, actor, { action: 'grant.create', outcome: 'done', target, detail })
  }
  return grant
}

async function removeGrant(
  { audit }: RoleDeps,
  tx: Transaction,
  { id, actor }: { readonly id: number; readonly actor: Actor },
): Promise<Grant> {
  const grant = await deleteGrant(tx, id)
  if (grant === undefined) throw new GrantUnknownError(id)
  const target = { kind: 'owner', name: grant.owner } as const
  const detail = describeGrant(grant)
  await audit.change(tx, actor, { action: 'grant.delete', outcome: 'done', target, detail })
  return grant
}

function describeGrant({ id, owner, pattern, role, to }: Grant): AuditDetail {
  return { grant: id, on: `${owner}/${pattern}`, role, to: `${to.kind} ${to.name}` }
}

/** Counts after the insert: concurrent inserts wait for it and count it. */
async function checkCount(
  tx: Transaction,
  {
    owner,
    ownerId,
    principal,
    to,
  }: { readonly owner: string; readonly ownerId: number; readonly principal: GrantPrincipal; to: string },
): Promise<void> {
  if ((await countGrants(tx, { ownerId, principal })) > maxPerGrantee) {
    throw new TooManyGrantsError(
      `${to} already has the maximum of ${maxPerGrantee} grants on repositories of ${owner}`,
    )
  }
  if ((await countGrants(tx, { ownerId })) > maxPerOwner) {
    throw new TooManyGrantsError(
      `there is already the maximum of ${maxPerOwner} grants on repositories of ${owner}`,
    )
  }
}

async function getOwnerId(db: Reader, name: string): Promise<number> {
  const owner = await findOwner(db, name)
  if (owner === undefined) throw new OwnerUnknownError(name)
  return owner.id
}

/**
 * A slash marks a team: account names have none. A team of another owner counts as unknown, because a grant to it would
 * reveal its members.
 */
async function getGrantee(db: Reader, text: string, on: number | undefined): Promise<GrantPrincipal> {
  const slash = text.indexOf('/')
  if (slash === -1) {
    const account = await findAccount(db, text)
    if (account !== undefined) return { kind: 'account', id: account.id }
  } else {
    const owner = await findOwner(db, text.slice(0, slash))
    const isOwn = owner !== undefined && (on === undefined || owner.id === on)
    const team = isOwn ? await findTeam(db, { ownerId: owner.id, name: text.slice(slash + 1) }) : undefined
    if (team !== undefined) return { kind: 'team', id: team.id }
  }
  throw new GranteeUnknownError(text)
}
