/** Manages members of organizations and their teams. Membership gives no rights; grants to members and teams do. */
import { requireStanding } from '../identity/actor-standing.ts'
import type { Actor } from '../identity/actor.ts'
import { AccountUnknownError } from '../identity/accounts/account-errors.ts'
import { addGrant } from '../access/grants/grants.ts'
import { findAccount } from '../metadata/identity/accounts.ts'
import type { AuditAction } from '../metadata/audit/audit-actions.ts'
import type { AuditDetail, AuditTargetKind } from '../metadata/audit/audit-trail.ts'
import { Conflict } from '../metadata/errors.ts'
import type { Reader, Transaction } from '../metadata/handles.ts'
import { deleteMember, insertMember, isMember, listMembers } from '../metadata/owners/members.ts'
import type { Member } from '../metadata/owners/members.ts'
import { findOwner } from '../metadata/owners/owners.ts'
import {
  deleteTeam,
  deleteTeamMember,
  findTeam,
  insertTeam,
  insertTeamMember,
  listTeamMembers,
  listTeams,
} from '../metadata/owners/teams.ts'
import type { Team } from '../metadata/owners/teams.ts'
import { findTeamFault } from '../oci/owner-name.ts'
import { quote } from '../oci/quote.ts'
import {
  MemberUnknownError,
  NameRefusedError,
  NameTakenError,
  OrganizationUnknownError,
  TeamUnknownError,
} from './errors.ts'
import type { OrganizationsDeps } from './organizations-deps.ts'

export type { Member, Team }

/** `acme/dev` */
export interface TeamName {
  readonly organization: string
  readonly team: string
}

/** A page of members in order of their ids; it starts after the id `after`. */
interface MemberPage {
  readonly after?: number | undefined
  readonly limit: number
}

export interface Members {
  /**
   * Returns whether the user was not a member before. With a role, also grants it on the whole organization in the same
   * transaction. Throws `OrganizationUnknownError`, `AccountUnknownError`, `RoleUnknownError`.
   */
  add(
    member: { readonly organization: string; readonly user: string; readonly role?: string | undefined },
    actor: Actor,
  ): Promise<boolean>
  /**
   * Also removes the member's grants and team memberships in the organization. Throws `OrganizationUnknownError`,
   * `MemberUnknownError`.
   */
  remove(member: { readonly organization: string; readonly user: string }, actor: Actor): Promise<void>
  /** Throws `OrganizationUnknownError`. */
  list(organization: string, page: MemberPage): Promise<Member[]>
}

export interface Teams {
  /** Throws `OrganizationUnknownError`, `NameRefusedError`, `NameTakenError`. */
  create(name: TeamName, actor: Actor): Promise<Team>
  /** Also deletes the grants to the team. Throws `OrganizationUnknownError`, `TeamUnknownError`. */
  delete(name: TeamName, actor: Actor): Promise<void>
  find(name: TeamName): Promise<Team | undefined>
  /** Lists teams in byte order of their names, after `after` (exclusive). Throws `OrganizationUnknownError`. */
  list(
    organization: string,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<Team[]>
  /**
   * Returns whether the user was not in the team before. Throws `OrganizationUnknownError`, `TeamUnknownError`, and
   * `MemberUnknownError` for a user who is not a member of the organization.
   */
  addMember(name: TeamName, user: string, actor: Actor): Promise<boolean>
  /** Throws `OrganizationUnknownError`, `TeamUnknownError`, `MemberUnknownError`. */
  removeMember(name: TeamName, user: string, actor: Actor): Promise<void>
  /** Throws `OrganizationUnknownError`, `TeamUnknownError`. */
  listMembers(name: TeamName, page: MemberPage): Promise<Member[]>
}

export function createMembers(deps: OrganizationsDeps): Members {
  const { metadata } = deps
  return {
    add: (member, actor) => metadata.transact((tx) => addMember(deps, tx, { ...member, actor })),
    remove: (member, actor) => metadata.transact((tx) => removeMember(deps, tx, { ...member, actor })),
    async list(organization, page) {
      const ownerId = await getOrganization(metadata.reader, organization)
      return listMembers(metadata.reader, { ...page, ownerId })
    },
  }
}

interface MemberChange {
  readonly organization: string
  readonly user: string
  readonly role?: string | undefined
  readonly actor: Actor
}

async function addMember(
  deps: OrganizationsDeps,
  tx: Transaction,
  { organization, user, role, actor }: MemberChange,
): Promise<boolean> {
  await requireStanding(tx, actor, deps.clock)
  const ownerId = await getOrganization(tx, organization)
  const accountId = await getUser(tx, user)
  const isNew = await insertMember(tx, { ownerId, accountId, now: deps.clock.now() })
  if (isNew) await audit(deps, tx, { actor, action: 'member.add', name: organization, detail: { user } })
  if (role !== undefined) {
    await addGrant(deps, tx, { owner: organization, repositories: '**', role, to: user, actor })
  }
  return isNew
}

async function removeMember(
  deps: OrganizationsDeps,
  tx: Transaction,
  { organization, user, actor }: MemberChange,
): Promise<void> {
  const ownerId = await getOrganization(tx, organization)
  const account = await findAccount(tx, user)
  const wasOne = account !== undefined && (await deleteMember(tx, { ownerId, accountId: account.id }))
  if (!wasOne) throw new MemberUnknownError(user, organization)
  await audit(deps, tx, { actor, action: 'member.remove', name: organization, detail: { user } })
}

export function createTeams(deps: OrganizationsDeps): Teams {
  const { metadata } = deps
  const { reader } = metadata
  return {
    create: (name, actor) => createTeam(deps, name, actor),
    delete: (name, actor) =>
      metadata.transact(async (tx) => {
        const { id } = await getTeam(tx, name)
        await deleteTeam(tx, id)
        await audit(deps, tx, { actor, action: 'team.delete', name: format(name) })
      }),
    find: async ({ organization, team }) => {
      const owner = await findOwner(reader, organization)
      return owner && findTeam(reader, { ownerId: owner.id, name: team })
    },
    async list(organization, page) {
      const ownerId = await getOrganization(reader, organization)
      return listTeams(reader, { ...page, ownerId })
    },
    addMember: (name, user, actor) => metadata.transact((tx) => addToTeam(deps, tx, { name, user, actor })),
    removeMember: (name, user, actor) =>
      metadata.transact((tx) => removeFromTeam(deps, tx, { name, user, actor })),
    async listMembers(name, page) {
      const { id: teamId } = await getTeam(reader, name)
      return listTeamMembers(reader, { ...page, teamId })
    },
  }
}

async function createTeam(deps: OrganizationsDeps, name: TeamName, actor: Actor): Promise<Team> {
  const fault = findTeamFault(name.team)
  if (fault !== undefined)
    throw new NameRefusedError(`${quote(name.team)} cannot be the name of a team: ${fault}`)
  const createdAt = deps.clock.now()
  try {
    return await deps.metadata.transact(async (tx) => {
      await requireStanding(tx, actor, deps.clock)
      const ownerId = await getOrganization(tx, name.organization)
      const id = await insertTeam(tx, { ownerId, name: name.team, now: createdAt })
      await audit(deps, tx, { actor, action: 'team.create', name: format(name) })
      return { id, name: name.team, createdAt }
    })
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    throw new NameTakenError(`team ${format(name)} already exists: choose another name`, { cause: error })
  }
}

interface PlaceChange {
  readonly name: TeamName
  readonly user: string
  readonly actor: Actor
}

async function addToTeam(
  deps: OrganizationsDeps,
  tx: Transaction,
  { name, user, actor }: PlaceChange,
): Promise<boolean> {
  await requireStanding(tx, actor, deps.clock)
  const { id: teamId, ownerId } = await getTeam(tx, name)
  const account = await findAccount(tx, user)
  const belongs = account !== undefined && (await isMember(tx, { ownerId, accountId: account.id }))
  if (!belongs) throw new MemberUnknownError(user, name.organization)
  const isNew = await insertTeamMember(tx, { teamId, accountId: account.id, now: deps.clock.now() })
  if (isNew) await audit(deps, tx, { actor, action: 'team.add', name: format(name), detail: { user } })
  return isNew
}

async function removeFromTeam(
  deps: OrganizationsDeps,
  tx: Transaction,
  { name, user, actor }: PlaceChange,
): Promise<void> {
  const { id: teamId } = await getTeam(tx, name)
  const account = await findAccount(tx, user)
  const wasIn = account !== undefined && (await deleteTeamMember(tx, { teamId, accountId: account.id }))
  if (!wasIn) throw new MemberUnknownError(user, format(name))
  await audit(deps, tx, { actor, action: 'team.remove', name: format(name), detail: { user } })
}

async function getOrganization(db: Reader, name: string): Promise<number> {
  const owner = await findOwner(db, name)
  if (owner?.kind !== 'organization') throw new OrganizationUnknownError(name)
  return owner.id
}

async function getTeam(db: Reader, name: TeamName): Promise<Team & { readonly ownerId: number }> {
  const ownerId = await getOrganization(db, name.organization)
  const team = await findTeam(db, { ownerId, name: name.team })
  if (team === undefined) throw new TeamUnknownError(format(name))
  return { ...team, ownerId }
}

async function getUser(tx: Transaction, name: string): Promise<number> {
  const account = await findAccount(tx, name)
  if (account?.kind !== 'user') throw new AccountUnknownError(name)
  return account.id
}

function format({ organization, team }: TeamName): string {
  return `${organization}/${team}`
}

interface Change {
  readonly actor: Actor
  readonly action: Extract<AuditAction, `${'member' | 'team'}.${string}`>
  readonly name: string
  readonly detail?: AuditDetail
}

function audit(
  deps: OrganizationsDeps,
  tx: Transaction,
  { actor, action, name, detail }: Change,
): Promise<void> {
  const kind: AuditTargetKind = action.startsWith('team.') ? 'team' : 'owner'
  return deps.audit.change(tx, actor, { action, outcome: 'done', target: { kind, name }, detail })
}
