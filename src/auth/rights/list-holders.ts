/** Who may do something somewhere below an owner, page by page: by what is open to all, by standing, by grants. */
import { Turns } from '../../lib/turns.ts'
import type { Loop } from '../../lib/turns.ts'
import { findAccount } from '../../metadata/accounts.ts'
import { listAdministrators } from '../../metadata/administrators.ts'
import { listGrantsOn, listTeamAccounts } from '../../metadata/grantees.ts'
import type { GranteeAccount, GranteeGrant } from '../../metadata/grantees.ts'
import type { Reader } from '../../metadata/handles.ts'
import { listRepositories } from '../../metadata/list-repositories.ts'
import { findOwner } from '../../metadata/owners.ts'
import type { Owner } from '../../metadata/owners.ts'
import { OwnerUnknownError } from '../account-errors.ts'
import { expandActions, isRoleAction } from '../permissions.ts'
import type { Permission, RoleAction } from '../permissions.ts'
import { patternBelow, splitPattern } from '../repository-pattern.ts'
import type { RepositoryPattern } from '../repository-pattern.ts'
import type { AnonymousMode } from './decide.ts'
import { createNameSet } from './name-set.ts'
import { overlaps } from './pattern-overlap.ts'

export interface Holder {
  /** `anyone`: without a login too. `users`: every user, no robot. */
  readonly kind: 'anyone' | 'users' | 'user' | 'robot'
  /** Empty for `anyone` and `users`. */
  readonly name: string
  /** `grant 12 gives writer on acme/web/** to team acme/dev`. */
  readonly because: string
  readonly grantId: number | undefined
}

export interface HolderPage {
  readonly holders: readonly Holder[]
  /** Where the next page starts; `undefined` on the last one. */
  readonly after: string | undefined
}

interface Asked {
  readonly action: RoleAction
  readonly on: string
  readonly anonymous: AnonymousMode
  readonly after?: string | undefined
  readonly limit: number
  readonly signal?: AbortSignal | undefined
  readonly loop?: Loop
}

interface Search {
  readonly permissions: readonly Permission[]
  readonly owner: Owner
  readonly pattern: RepositoryPattern
  readonly anonymous: AnonymousMode
  /** Whether a grant gives one of the permissions somewhere in the pattern. */
  readonly serves: (grant: GranteeGrant) => boolean
  readonly turns: Turns
  readonly signal: AbortSignal | undefined
}

/**
 * What was looked at last: how many of those who need no look at accounts, an administrator, or an account by a grant;
 * without an account, the grant is the next one.
 */
interface Cursor {
  readonly first?: number
  readonly administrator?: string
  readonly grantId?: number
  readonly accountId?: number
}

interface Step {
  /** `undefined`: what was looked at up to the cursor gives nobody the right. */
  readonly holder: Holder | undefined
  readonly cursor: Cursor
}

const batch = 100
/** A page that finds little ends after so many turns of the event loop. */
const maxTurns = 100

/**
 * A page ends early when much was read that gives nobody the right. Throws `PatternInvalidError`, `OwnerUnknownError`,
 * and what aborts the signal.
 */
export async function listHolders(db: Reader, asked: Asked): Promise<HolderPage> {
  const { owner: name, pattern: below } = splitPattern(asked.on)
  const owner = await findOwner(db, name)
  if (owner === undefined) throw new OwnerUnknownError(name)
  const { action, anonymous, signal, loop } = asked
  const permissions = expandActions([action])
  const pattern = patternBelow(name, below)
  const serves = createFilter(permissions, pattern)
  const turns = new Turns({ signal, maxTurns, ...(loop !== undefined && { loop }) })
  const search: Search = { permissions, owner, pattern, anonymous, serves, turns, signal }
  const holders: Holder[] = []
  let last: Cursor | undefined
  for await (const { holder, cursor } of walk(db, search, parseCursor(asked.after))) {
    if (holders.length === asked.limit && holder !== undefined) return pageOf(holders, last)
    if (holder !== undefined) holders.push(holder)
    last = cursor
    if (turns.isSpent) return pageOf(holders, last)
  }
  return pageOf(holders, undefined)
}

function pageOf(holders: readonly Holder[], last: Cursor | undefined): HolderPage {
  return { holders, after: last === undefined ? undefined : formatCursor(last) }
}

async function* walk(db: Reader, search: Search, from: Cursor): AsyncGenerator<Step> {
  const { first, administrator, grantId = 0, accountId = 0 } = from
  if (first !== undefined) {
    const owner = await findOwnerAccount(db, search.owner)
    const holders = [...(await listOpen(db, search)), ...(owner === undefined ? [] : [owner])]
    for (const [index, holder] of holders.entries()) {
      if (index >= first) yield { holder, cursor: { first: index + 1 } }
    }
  }
  if (first !== undefined || administrator !== undefined) {
    yield* walkAdministrators(db, administrator ?? '', search.turns)
  }
  yield* walkGrants(db, search, { grantId, accountId })
}

/** One repository is enough of an example. */
async function listOpen(db: Reader, { permissions, pattern, anonymous, signal }: Search): Promise<Holder[]> {
  const within = createNameSet([pattern])
  const findSeen = async (internal: boolean): Promise<string | undefined> => {
    const visible = { all: false, public: true, internal, owner: undefined, within } as const
    const [name] = await listRepositories(db, { limit: 1, visible, signal })
    return name
  }
  const isPush = anonymous === 'push'
  const isOpen = permissions.some(
    (one) => one === 'pull' || (isPush && one !== 'manage' && one !== 'administer'),
  )
  if (!isOpen) return []
  const shown = await findSeen(false)
  const byPublic = { because: `${shown ?? ''} is public`, name: '', grantId: undefined }
  if (shown !== undefined && anonymous !== 'none') return [{ ...byPublic, kind: 'anyone' }]
  if (!permissions.includes('pull')) return []
  const internal = await findSeen(true)
  if (internal === undefined) return []
  const why = internal === shown ? 'public' : 'internal or public'
  return [{ kind: 'users', name: '', because: `${internal} is ${why}`, grantId: undefined }]
}

async function findOwnerAccount(db: Reader, { name, kind }: Owner): Promise<Holder | undefined> {
  const account = kind === 'user' ? await findAccount(db, name) : undefined
  if (account === undefined || account.disabled) return undefined
  return { kind: 'user', name, because: `user ${name} owns ${name}`, grantId: undefined }
}

async function* walkAdministrators(db: Reader, from: string, turns: Turns): AsyncGenerator<Step> {
  let after = from
  for (;;) {
    const found = await listAdministrators(db, { after, limit: batch })
    for (const { name, disabled } of found) {
      const because = `user ${name} is an administrator`
      const holder = { kind: 'user', name, because, grantId: undefined } as const
      yield { holder: disabled ? undefined : holder, cursor: { administrator: name } }
      await turns.pass()
    }
    const last = found.at(-1)
    if (last === undefined || found.length < batch) return
    after = last.name
  }
}

async function* walkGrants(
  db: Reader,
  search: Search,
  { grantId, accountId }: { readonly grantId: number; readonly accountId: number },
): AsyncGenerator<Step> {
  const { owner, turns } = search
  // The first may have holders that were not listed yet.
  let after = grantId - 1
  for (;;) {
    const grants = await listGrantsOn(db, { ownerId: owner.id, after, limit: batch })
    for (const grant of grants) {
      const from = grant.id === grantId ? accountId : 0
      if (search.serves(grant)) yield* walkAccounts(db, grant, { after: from, turns })
      yield { holder: undefined, cursor: { grantId: grant.id + 1 } }
      await turns.pass()
      after = grant.id
    }
    if (grants.length < batch) return
  }
}

/** Those that hold the grant, with an id after `after`. */
async function* walkAccounts(
  db: Reader,
  grant: GranteeGrant,
  page: { readonly after: number; readonly turns: Turns },
): AsyncGenerator<Step> {
  const { account, team } = grant
  if (account !== undefined && account.id > page.after) yield stepOf(grant, account)
  if (team === undefined) return
  let { after } = page
  for (;;) {
    const found = await listTeamAccounts(db, { teamId: team.id, after, limit: batch })
    for (const member of found) yield stepOf(grant, member)
    const last = found.at(-1)
    if (last === undefined || found.length < batch) return
    after = last.id
    await page.turns.pass()
  }
}

function stepOf(grant: GranteeGrant, account: GranteeAccount): Step {
  const cursor = { grantId: grant.id, accountId: account.id }
  return { holder: account.disabled ? undefined : holderOf(grant, account), cursor }
}

/** Of many grants few say something that none before it said. */
function createFilter(permissions: readonly Permission[], asked: RepositoryPattern): Search['serves'] {
  const known = new Map<RepositoryPattern, boolean>()
  return ({ owner, pattern, actions }) => {
    const allowed = expandActions(actions.filter(isRoleAction))
    if (!permissions.some((permission) => allowed.includes(permission))) return false
    const full = patternBelow(owner, pattern)
    const found = known.get(full) ?? overlaps(full, asked)
    known.set(full, found)
    return found
  }
}

function holderOf({ id, role, owner, pattern, team }: GranteeGrant, { kind, name }: GranteeAccount): Holder {
  const to = team === undefined ? `${kind} ${name}` : `team ${team.name}`
  return { kind, name, because: `grant ${id} gives ${role} on ${owner}/${pattern} to ${to}`, grantId: id }
}

function formatCursor({ first, administrator, grantId = 0, accountId = 0 }: Cursor): string {
  if (first !== undefined) return `f:${first}`
  return administrator === undefined ? `g:${grantId}:${accountId}` : `a:${administrator}`
}

/** What was never handed out starts at the beginning. */
function parseCursor(text = ''): Cursor {
  const [kind, value = '', more = ''] = text.split(':')
  if (kind === 'a') return { administrator: value }
  const [number, second] = [value, more].map((digits) => (/^\d{1,15}$/.test(digits) ? Number(digits) : 0))
  if (kind === 'g') return { grantId: number ?? 0, accountId: second ?? 0 }
  return { first: kind === 'f' ? (number ?? 0) : 0 }
}
