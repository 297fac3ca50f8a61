/**
 * Robots: accounts of an owner, for programs. A robot is named `<owner>+<name>`, logs in only with access tokens, is never an
 * administrator, and has only the rights that it is granted. Changes take effect with the next request, in every process.
 */
import type { Clock } from '../../lib/clock.ts'
import {
  deleteAccount,
  findAccount,
  insertRobot,
  listRobots,
  setAccountDisabled,
} from '../../metadata/identity/accounts.ts'
import type { Account } from '../../metadata/identity/accounts.ts'
import type { AuditAction } from '../../metadata/audit/audit-actions.ts'
import type { AuditEntry, AuditTrail } from '../../metadata/audit/audit-trail.ts'
import { Conflict } from '../../metadata/errors.ts'
import type { Reader, Transaction } from '../../metadata/handles.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { findOwner } from '../../metadata/owners/owners.ts'
import { raiseRightsVersion } from '../../metadata/system/rights-version.ts'
import { OwnerUnknownError, RobotExistsError, RobotNameError, RobotUnknownError } from './account-errors.ts'
import { requireStanding } from '../actor-standing.ts'
import type { Actor } from '../actor.ts'

export type Robot = Account

export interface Robots {
  /** Throws `RobotNameError`, `RobotExistsError`, `OwnerUnknownError`. */
  create(name: string, actor: Actor): Promise<Robot>
  /** Lists robots in byte order of their names, after `after` (exclusive). Throws `OwnerUnknownError`. */
  list(page: {
    /** Absent: the robots of all owners. */
    readonly owner?: string | undefined
    readonly after?: string | undefined
    readonly limit: number
  }): Promise<Robot[]>
  find(name: string): Promise<Robot | undefined>
  /** Its tokens become valid again when it is enabled. Throws `RobotUnknownError`. */
  disable(name: string, actor: Actor): Promise<void>
  /** Throws `RobotUnknownError`. */
  enable(name: string, actor: Actor): Promise<void>
  /** Also deletes its tokens, team memberships and grants; the content that it pushed stays. Throws `RobotUnknownError`. */
  delete(name: string, actor: Actor): Promise<void>
}

export interface RobotsDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly audit: AuditTrail
}

export interface RobotName {
  readonly owner: string
  readonly robot: string
}

const robotPattern = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/
const maxRobotCharacters = 50

/** Throws `RobotNameError`. */
export function parseRobotName(name: string): RobotName {
  const plus = name.indexOf('+')
  const [owner, robot] = [name.slice(0, Math.max(plus, 0)), name.slice(plus + 1)]
  if (plus <= 0 || !robotPattern.test(robot)) {
    throw new RobotNameError(name, 'write <owner>+<name> in lower case, for example acme+ci')
  }
  if (robot.length > maxRobotCharacters) {
    throw new RobotNameError(name, `the part after the + must have at most ${maxRobotCharacters} characters`)
  }
  return { owner, robot }
}

export function createRobots(deps: RobotsDeps): Robots {
  const { metadata } = deps
  const { reader } = metadata
  return {
    create: (name, actor) => createRobot(deps, name, actor),
    list: async ({ owner, ...page }) => {
      if (owner === undefined) return listRobots(reader, page)
      const { id: ownerId } = await getOwner(reader, owner)
      return listRobots(reader, { ...page, ownerId })
    },
    find: (name) => findRobot(reader, name),
    disable: (name, actor) =>
      metadata.transact((tx) => setDisabled(tx, { name, actor, disabled: true }, deps)),
    enable: (name, actor) =>
      metadata.transact((tx) => setDisabled(tx, { name, actor, disabled: false }, deps)),
    delete: (name, actor) => metadata.transact((tx) => deleteRobot(tx, { name, actor }, deps)),
  }
}

async function createRobot(
  { metadata, clock, audit }: RobotsDeps,
  name: string,
  actor: Actor,
): Promise<Robot> {
  const { owner } = parseRobotName(name)
  try {
    return await metadata.transact(async (tx) => {
      await requireStanding(tx, actor, clock)
      const { id: ownerId } = await getOwner(tx, owner)
      await insertRobot(tx, { name, ownerId, now: clock.now() })
      await audit.change(tx, actor, entryOf('robot.create', name))
      return getRobot(tx, name)
    })
  } catch (error) {
    if (error instanceof Conflict) throw new RobotExistsError(name, { cause: error })
    throw error
  }
}

async function setDisabled(
  tx: Transaction,
  { name, actor, disabled }: { readonly name: string; readonly actor: Actor; readonly disabled: boolean },
  { audit, clock }: RobotsDeps,
): Promise<void> {
  if (!disabled) await requireStanding(tx, actor, clock)
  await getRobot(tx, name)
  await setAccountDisabled(tx, { name, disabled })
  await raiseRightsVersion(tx)
  await audit.change(tx, actor, entryOf(disabled ? 'robot.disable' : 'robot.enable', name))
}

async function deleteRobot(
  tx: Transaction,
  { name, actor }: { readonly name: string; readonly actor: Actor },
  { audit }: RobotsDeps,
): Promise<void> {
  const { id } = await getRobot(tx, name)
  await deleteAccount(tx, id)
  await raiseRightsVersion(tx)
  await audit.change(tx, actor, entryOf('robot.delete', name))
}

async function findRobot(db: Reader, name: string): Promise<Robot | undefined> {
  const found = await findAccount(db, name)
  if (found?.kind !== 'robot') return undefined
  const { passwordHash: _, ...robot } = found
  return robot
}

async function getRobot(db: Reader, name: string): Promise<Robot> {
  const robot = await findRobot(db, name)
  if (robot === undefined) throw new RobotUnknownError(name)
  return robot
}

async function getOwner(db: Reader, name: string): Promise<{ readonly id: number }> {
  const owner = await findOwner(db, name)
  if (owner === undefined) throw new OwnerUnknownError(name)
  return owner
}

function entryOf(action: AuditAction, name: string): AuditEntry {
  return { action, outcome: 'done', target: { kind: 'robot', name } }
}
