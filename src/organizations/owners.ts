/**
 * @module
 * Manages owners: users and organizations. Each change takes effect with the next request, in every process, and is recorded in the
 * audit. The services of this folder check no rights: their callers ask the policy first, or are the operator.
 */
import { LastAdministratorError } from '../identity/accounts/account-errors.ts'
import type { Actor } from '../identity/actor.ts'
import { requireStanding } from '../identity/actor-standing.ts'
import { isLastAdministrator } from '../metadata/identity/administrators.ts'
import type { AuditAction } from '../metadata/audit/audit-actions.ts'
import type { AuditDetail, AuditEntry } from '../metadata/audit/audit-trail.ts'
import { Conflict } from '../metadata/errors.ts'
import type { Transaction } from '../metadata/handles.ts'
import { listOwners } from '../metadata/owners/list-owners.ts'
import type { OwnersSeen } from '../metadata/owners/list-owners.ts'
import { deleteOwner } from '../metadata/deletion/owner-deletion.ts'
import { OwnerHasRemains, OwnerNotEmpty, OwnerUnknown } from '../metadata/owners/owner-errors.ts'
import { renameOwner } from '../metadata/owners/owner-rename.ts'
import type { RenamedOwner } from '../metadata/owners/owner-rename.ts'
import {
  findNamedAt,
  findOwner,
  insertOrganization,
  listFormerNames,
  setOwnerVisibility,
} from '../metadata/owners/owners.ts'
import type { Owner } from '../metadata/owners/owners.ts'
import { listRemains, removeRemains } from '../metadata/deletion/repository-remains.ts'
import type { Visibility } from '../metadata/owners/schema.ts'
import { findOwnerFault, findUserFault } from '../oci/owner-name.ts'
import { quote } from '../oci/quote.ts'
import { NameRefusedError, translateOwnerError } from './errors.ts'
import { opens } from './opens.ts'
import type { OrganizationsDeps } from './organizations-deps.ts'
import { createRepositories, deleteWhole } from './repositories.ts'

export type { Owner, RenamedOwner }

export type OwnerKind = Owner['kind']

export interface OwnerDetails extends Owner {
  /** Its former names, in byte order; they still serve pulls. */
  readonly formerNames: readonly string[]
}

export interface Deletion {
  /** An owner of another kind counts as unknown. */
  readonly kind: OwnerKind
  /** Whether to also delete its repositories. */
  readonly purge: boolean
}

export interface Owners {
  /** Throws `NameRefusedError`, `NameTakenError`. */
  createOrganization(
    organization: { readonly name: string; readonly visibility: Visibility },
    actor: Actor,
  ): Promise<Owner>
  /** Lists owners in byte order of their names, after `after` (exclusive). */
  list(page: {
    readonly kind?: OwnerKind | undefined
    readonly after?: string | undefined
    readonly limit: number
    /** Which owners to read; absent: all. */
    readonly seen?: OwnersSeen
  }): Promise<Owner[]>
  find(name: string): Promise<OwnerDetails | undefined>
  /** When the owner got the name; `undefined` if it does not exist. */
  namedAt(name: string): Promise<number | undefined>
  /** Returns the previous visibility. Throws `OwnerUnknownError`. */
  setVisibility(name: string, visibility: Visibility, actor: Actor): Promise<Visibility>
  /**
   * Renames an owner with its repositories, robots and tokens. The former name still serves pulls, and no other owner can take it.
   * Throws `OwnerUnknownError`, also for an owner of another kind, `NameRefusedError`, `NameTakenError`.
   */
  rename(
    change: { readonly kind?: OwnerKind; readonly name: string; readonly newName: string },
    actor: Actor,
  ): Promise<RenamedOwner>
  /**
   * Deletes an owner with its teams, members, robots, grants and tokens, and the account of a user. Throws `OwnerUnknownError`,
   * `OwnerNotEmptyError`, `LastAdministratorError`.
   */
  delete(name: string, deletion: Deletion, actor: Actor): Promise<void>
}

const pageSize = 500
// Pushes that continue during the deletion create new repositories, which are deleted again up to this many times.
const maxPurges = 5

export function createOwners(deps: OrganizationsDeps): Owners {
  const { reader } = deps.metadata
  return {
    createOrganization: (organization, actor) => createOrganization(deps, organization, actor),
    list: (page) => listOwners(reader, page),
    async find(name) {
      const owner = await findOwner(reader, name)
      return owner && { ...owner, formerNames: await listFormerNames(reader, owner.id) }
    },
    async namedAt(name) {
      const owner = await findOwner(reader, name)
      return owner && findNamedAt(reader, owner)
    },
    setVisibility: (name, visibility, actor) => setVisibility(deps, { name, visibility }, actor),
    rename: (change, actor) => rename(deps, change, actor),
    async delete(name, deletion, actor) {
      // A new owner that gets the name during the deletion keeps its pushed content.
      const ownerId = (await findOwner(reader, name))?.id
      await deleteWithPurge(deps, { ...deletion, name, ownerId, actor })
    },
  }
}

async function createOrganization(
  deps: OrganizationsDeps,
  { name, visibility }: { readonly name: string; readonly visibility: Visibility },
  actor: Actor,
): Promise<Owner> {
  checkName(name)
  const createdAt = deps.clock.now()
  return change(deps, async (tx) => {
    const id = await insertOrganization(tx, { name, visibility, now: createdAt })
    await deps.audit.change(tx, actor, entryOf('organization.create', name, { visibility }))
    return { id, name, kind: 'organization', visibility, createdAt }
  })
}

function setVisibility(
  deps: OrganizationsDeps,
  { name, visibility }: { readonly name: string; readonly visibility: Visibility },
  actor: Actor,
): Promise<Visibility> {
  return change(deps, async (tx) => {
    const before = await setOwnerVisibility(tx, { name, visibility })
    if (before === undefined) throw new OwnerUnknown(name)
    if (opens(before, visibility)) await requireStanding(tx, actor, deps.clock)
    await deps.audit.change(tx, actor, entryOf('owner.visibility', name, { visibility, before }))
    return before
  })
}

async function rename(
  deps: OrganizationsDeps,
  { kind, name, newName }: { readonly kind?: OwnerKind; readonly name: string; readonly newName: string },
  actor: Actor,
): Promise<RenamedOwner> {
  checkName(newName)
  const now = deps.clock.now()
  return change(deps, async (tx) => {
    const renamed = await renameOwner(tx, { name, newName, now })
    if (kind !== undefined && renamed.kind !== kind) throw new OwnerUnknown(name)
    if (renamed.kind === 'user') checkName(newName, findUserFault)
    const { repositories, robots } = renamed
    await deps.audit.change(
      tx,
      actor,
      entryOf('owner.rename', newName, { before: name, repositories, robots }),
    )
    return renamed
  })
}

interface NamedDeletion extends Deletion {
  readonly name: string
  /** `undefined` if nobody has the name. */
  readonly ownerId: number | undefined
  readonly actor: Actor
}

async function deleteWithPurge(deps: OrganizationsDeps, deletion: NamedDeletion): Promise<void> {
  for (let purges = 0; ; purges += 1) {
    try {
      return await change(deps, (tx) => deleteOne(deps, tx, deletion))
    } catch (error) {
      if (purges === maxPurges) throw error
      if (error instanceof OwnerHasRemains) await removeAllRemains(deps, error.ownerId)
      else if (deletion.purge && hasRepositories(error)) await deleteRepositories(deps, deletion)
      else throw error
    }
  }
}

/** A repository that was created in the meantime is a conflict. */
function hasRepositories(error: unknown): boolean {
  return error instanceof Conflict || (error instanceof Error && error.cause instanceof OwnerNotEmpty)
}

/** Removes the remains of deleted repositories that another process has not finished. */
async function removeAllRemains({ metadata }: OrganizationsDeps, ownerId: number): Promise<void> {
  for (;;) {
    const [repositoryId] = await listRemains(metadata.reader, { ownerId, limit: 1 })
    if (repositoryId === undefined) return
    await removeRemains(metadata, { repositoryId })
  }
}

async function deleteOne(
  deps: OrganizationsDeps,
  tx: Transaction,
  { name, ownerId, kind, actor }: NamedDeletion,
): Promise<void> {
  // Before anything else: an owner of the other kind must not lose its repositories to a purge.
  const owner = await findOwner(tx, name)
  if (owner?.kind !== kind || owner.id !== ownerId) throw new OwnerUnknown(name)
  if (kind === 'user' && (await isLastAdministrator(tx, name))) throw new LastAdministratorError(name)
  await deleteOwner(tx, name)
  const isUser = kind === 'user'
  const entry = entryOf(isUser ? 'user.delete' : 'organization.delete', name)
  await deps.audit.change(tx, actor, isUser ? { ...entry, target: { kind: 'user', name } } : entry)
}

async function deleteRepositories(deps: OrganizationsDeps, deletion: NamedDeletion): Promise<void> {
  const { name: owner, ownerId, actor } = deletion
  const repositories = createRepositories(deps)
  for (;;) {
    const listed = await repositories.list({ owner, limit: pageSize })
    if (listed.length === 0 || (await findOwner(deps.metadata.reader, owner))?.id !== ownerId) return
    for (const { name } of listed) await deleteWhole(deps, { name, ownerId }, actor)
  }
}

async function change<T>(deps: OrganizationsDeps, work: (tx: Transaction) => Promise<T>): Promise<T> {
  try {
    return await deps.metadata.transact(work)
  } catch (error) {
    throw translateOwnerError(error)
  }
}

function checkName(name: string, findFault: (name: string) => string | undefined = findOwnerFault): void {
  const fault = findFault(name)
  if (fault !== undefined)
    throw new NameRefusedError(`${quote(name)} cannot be the name of an owner: ${fault}`)
}

function entryOf(action: AuditAction, name: string, detail?: AuditDetail): AuditEntry {
  return { action, outcome: 'done', target: { kind: 'owner', name }, detail }
}
