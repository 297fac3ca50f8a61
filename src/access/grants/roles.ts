/** Manages roles: the built-in ones are fixed, all others are named sets of actions. */
import type { Clock } from '../../lib/clock.ts'
import type { AuditTrail } from '../../metadata/audit/audit-trail.ts'
import { Conflict } from '../../metadata/errors.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { deleteRole, findRole, insertRole, listRoles } from '../../metadata/rights/roles.ts'
import type { Role as RoleRow } from '../../metadata/rights/roles.ts'
import { requireStanding } from '../../identity/actor-standing.ts'
import type { Actor } from '../../identity/actor.ts'
import { quote } from '../../oci/quote.ts'
import { isRoleAction, roleActions } from '../permissions.ts'
import type { RoleAction } from '../permissions.ts'
import { RoleExistsError, RoleInvalidError, RoleKeptError, RoleUnknownError } from './errors.ts'

export interface Role {
  readonly name: string
  readonly actions: readonly RoleAction[]
  readonly isBuiltIn: boolean
}

export interface Roles {
  /** Throws `RoleInvalidError`, `RoleExistsError`. */
  add(role: { readonly name: string; readonly actions: readonly string[] }, actor: Actor): Promise<Role>
  find(name: string): Promise<Role | undefined>
  /** Lists roles in byte order of their names, after `after` (exclusive). */
  list(page: { readonly after?: string | undefined; readonly limit: number }): Promise<Role[]>
  /** Throws `RoleUnknownError`, `RoleKeptError`. */
  remove(name: string, actor: Actor): Promise<void>
}

export interface RoleDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly audit: AuditTrail
}

const namePattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const maxNameCharacters = 64

export function createRoles(deps: RoleDeps): Roles {
  const { reader } = deps.metadata
  return {
    add: (role, actor) => addRole(deps, role, actor),
    async find(name) {
      const role = await findRole(reader, name)
      return role && roleOf(role)
    },
    list: async (page) => (await listRoles(reader, page)).map(roleOf),
    remove: (name, actor) => removeRole(deps, name, actor),
  }
}

async function addRole(
  { metadata, clock, audit }: RoleDeps,
  { name, actions: texts }: { readonly name: string; readonly actions: readonly string[] },
  actor: Actor,
): Promise<Role> {
  const actions = checkRole(name, texts)
  try {
    await metadata.transact(async (tx) => {
      await requireStanding(tx, actor, clock)
      await insertRole(tx, { name, actions, now: clock.now() })
      const target = { kind: 'role', name } as const
      await audit.change(tx, actor, { action: 'role.create', outcome: 'done', target, detail: { actions } })
    })
  } catch (error) {
    if (error instanceof Conflict) throw new RoleExistsError(name, { cause: error })
    throw error
  }
  return { name, actions, isBuiltIn: false }
}

function checkRole(name: string, texts: readonly string[]): RoleAction[] {
  if (!namePattern.test(name) || name.length > maxNameCharacters) {
    throw new RoleInvalidError(
      name,
      'its name must have at most 64 characters: lower-case letters, digits and single dashes',
    )
  }
  const unknown = texts.find((text) => !isRoleAction(text))
  if (unknown !== undefined) {
    throw new RoleInvalidError(
      name,
      `${quote(unknown)} is not an action; choose from ${roleActions.join(', ')}`,
    )
  }
  const wanted = new Set(texts)
  const actions = roleActions.filter((action) => wanted.has(action))
  if (actions.length === 0) throw new RoleInvalidError(name, 'it has no actions')
  return actions
}

async function removeRole({ metadata, audit }: RoleDeps, name: string, actor: Actor): Promise<void> {
  const outcome = await metadata.transact(async (tx) => {
    const result = await deleteRole(tx, name)
    const target = { kind: 'role', name } as const
    if (result === 'deleted')
      await audit.change(tx, actor, { action: 'role.delete', outcome: 'done', target })
    return result
  })
  if (outcome === 'unknown') throw new RoleUnknownError(name)
  if (outcome !== 'deleted') throw new RoleKeptError(name, outcome)
}

function roleOf({ name, actions, isBuiltIn }: RoleRow): Role {
  return { name, actions: actions.filter(isRoleAction), isBuiltIn }
}
