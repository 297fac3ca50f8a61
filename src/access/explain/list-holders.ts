/**
 * Lists who may perform an action below an owner, page by page: through visibility, as owner or administrator, and through
 * grants.
 */
import { Turns } from '../../lib/turns/turns.ts'
import type { Loop } from '../../lib/turns/turns.ts'
import { findAccount } from '../../metadata/identity/accounts.ts'
import { listAdministrators } from '../../metadata/identity/administrators.ts'
import { listGrantsOn, listTeamAccounts } from '../../metadata/rights/grantees.ts'
import type { GranteeAccount, GranteeGrant } from '../../metadata/rights/grantees.ts'
import type { Reader } from '../../metadata/handles.ts'
import { findOwner, findOwnerByFormerName } from '../../metadata/owners/owners.ts'
import type { Owner } from '../../metadata/owners/owners.ts'
import { findRepositoryName } from '../../oci/repository-name.ts'
import { OwnerUnknownError } from '../../identity/accounts/account-errors.ts'
import { expandActions, isRoleAction } from '../permissions.ts'
import type { RoleAction } from '../permissions.ts'
import { parsePatternBelow, patternBelow } from '../patterns/repository-pattern.ts'
import type { RepositoryPattern } from '../patterns/repository-pattern.ts'
import type { AccountPrincipal } from '../../identity/principal.ts'
import { isInformed, knowsState } from '../audience.ts'
import type { Asker } from '../audience.ts'
import { decide } from '../decide.ts'
import type { AnonymousMode } from '../decide.ts'
import { holdGrants } from '../grants/held-grants.ts'
import { findOpening } from './list-open.ts'
import type { Explain } from './list-open.ts'
import { overlaps } from '../patterns/pattern-overlap.ts'

export interface Holder {
  /**
   * `anyone`: even without a login. `users`: every user, but no robot. `administrators`: the administrators of the registry, if
   * the asker may not see their names.
   */
  readonly kind: 'anyone' | 'users' | 'administrators' | 'user' | 'robot'
  /** Empty for `anyone`, `users` and `administrators`. */
  readonly name: string
  /** `grant 12 gives writer on acme/web/** to team acme/dev`. */
  readonly because: string
  readonly grantId: number | undefined
}

export interface HolderPage {
  readonly holders: readonly Holder[]
  /** The cursor of the next page; `undefined` on the last one. */
  readonly after: string | undefined
}

interface Asked {
  readonly action: RoleAction
  readonly owner: string
  /** A pattern relative to the owner, see `parsePatternBelow`. */
  readonly repositories: string
  readonly anonymous: AnonymousMode
  /** Explains what is open to everyone. */
  readonly explain: Explain
  /** A principal that administers the owner; absent: the operator. */
  readonly asker?: Asker
  readonly after?: string | undefined
  readonly limit: number
  readonly signal?: AbortSignal | undefined
  readonly loop?: Loop
}

interface Search {
  readonly action: RoleAction
  readonly owner: Owner
  readonly pattern: RepositoryPattern
  readonly explain: Explain
  readonly asker: Asker
  /** Whether a grant gives one of the permissions in a repository that the pattern matches. */
  readonly serves: (grant: GranteeGrant) => boolean
  readonly turns: Turns
  readonly signal: AbortSignal | undefined
}

/**
 * The last holder of the previous page: the number of a holder without a grant, an administrator, or an account with a grant.
 * Without an account, the grant is the next one to read.
 */
interface Cursor {
  readonly first?: number
  readonly administrator?: string
  readonly grantId?: number
  readonly accountId?: number
}

interface Step {
  /** `undefined`: the rows up to the cursor give nobody the right. */
  readonly holder: Holder | undefined
  readonly cursor: Cursor
}

const batch = 100
/** A page with few results ends after this many turns of the event loop. */
const maxTurns = 100

/**
 * Returns a page, which ends early if many rows were read that give nobody the right. Throws `PatternInvalidError`,
 * `OwnerUnknownError`, and the signal's reason.
 */
export async function listHolders(db: Reader, asked: Asked): Promise<HolderPage> {
  const { action, anonymous, explain, signal, loop, asker } = asked
  const { owner, isFormerName } = await findAsked(db, asked.owner)
  const below = parsePatternBelow(asked.owner, asked.repositories)
  // A former name serves only pulls.
  if (isFormerName && action !== 'pull') return pageOf([], undefined)
  const pattern = patternBelow(owner.name, below)
  const serves = createFilter({ action, pattern, anonymous })
  const turns = new Turns({ signal, maxTurns, ...(loop !== undefined && { loop }) })
  const search: Search = { action, owner, pattern, explain, asker, serves, turns, signal }
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

interface AskedOwner {
  readonly owner: Owner
  readonly isFormerName: boolean
}

async function findAsked(db: Reader, name: string): Promise<AskedOwner> {
  const owner = await findOwner(db, name)
  if (owner !== undefined) return { owner, isFormerName: false }
  const newName = await findOwnerByFormerName(db, name)
  const renamed = newName === undefined ? undefined : await findOwner(db, newName)
  if (renamed === undefined) throw new OwnerUnknownError(name)
  return { owner: renamed, isFormerName: true }
}

function pageOf(holders: readonly Holder[], last: Cursor | undefined): HolderPage {
  return { holders, after: last === undefined ? undefined : formatCursor(last) }
}

async function* walk(db: Reader, search: Search, from: Cursor): AsyncGenerator<Step> {
  const { first, administrator, grantId = 0, accountId = 0 } = from
  if (first !== undefined) {
    const holders = await listStanding(db, search)
    for (const [index, holder] of holders.entries()) {
      if (index >= first) yield { holder, cursor: { first: index + 1 } }
    }
  }
  if (isInformed(search.asker) && (first !== undefined || administrator !== undefined)) {
    yield* walkAdministrators(db, administrator ?? '', search.turns)
  }
  yield* walkGrants(db, search, { grantId, accountId })
}

/** Lists the holders without grants: everyone a visibility opens it to, the owner, and the administrators as one entry if they are not named. */
async function listStanding(db: Reader, search: Search): Promise<Holder[]> {
  const opening = await findOpening(db, search)
  const owner = await findOwnerAccount(db, search.owner)
  const nobody = { name: '', grantId: undefined }
  const because = 'administrators of this registry may do everything'
  return [
    ...(opening === undefined ? [] : [{ ...opening, ...nobody }]),
    ...(owner === undefined ? [] : [owner]),
    ...(isInformed(search.asker) ? [] : [{ kind: 'administrators' as const, because, ...nobody }]),
  ]
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
  // The first grant may have holders that were not listed yet.
  let after = grantId - 1
  for (;;) {
    const grants = await listGrantsOn(db, { ownerId: owner.id, after, limit: batch })
    for (const grant of grants) {
      const from = grant.id === grantId ? accountId : 0
      if (search.serves(grant)) yield* walkAccounts(db, grant, { ...search, after: from })
      yield { holder: undefined, cursor: { grantId: grant.id + 1 } }
      await turns.pass()
      after = grant.id
    }
    if (grants.length < batch) return
  }
}

/** Yields the accounts that hold the grant, with an id after `after`. */
async function* walkAccounts(
  db: Reader,
  grant: GranteeGrant,
  page: Pick<Search, 'turns' | 'asker'> & { readonly after: number },
): AsyncGenerator<Step> {
  const { account, team } = grant
  const { asker } = page
  if (account !== undefined && account.id > page.after) yield stepOf(grant, account, asker)
  if (team === undefined) return
  let { after } = page
  for (;;) {
    const found = await listTeamAccounts(db, { teamId: team.id, after, limit: batch })
    for (const member of found) yield stepOf(grant, member, asker)
    const last = found.at(-1)
    if (last === undefined || found.length < batch) return
    after = last.id
    await page.turns.pass()
  }
}

function stepOf(grant: GranteeGrant, account: GranteeAccount, asker: Asker): Step {
  const cursor = { grantId: grant.id, accountId: account.id }
  const isLeftOut = account.disabled && knowsState(asker, account, grant.owner)
  return { holder: isLeftOut ? undefined : holderOf(grant, account), cursor }
}

/** A stand-in for an account whose only right is one grant. */
const anyRobot: AccountPrincipal = {
  kind: 'robot',
  accountId: 0,
  name: '',
  isAdmin: false,
  scopes: undefined,
}

interface Wanted {
  readonly action: RoleAction
  readonly pattern: RepositoryPattern
  readonly anonymous: AnonymousMode
}

/** Returns a filter of grants, which uses the decision itself if the pattern is one repository. It caches its answers, because many grants are alike. */
function createFilter({ action, pattern: asked, anonymous }: Wanted): Search['serves'] {
  const repository = asked.includes('*') ? undefined : findRepositoryName(asked)
  const permissions = expandActions([action])
  const allows = (grant: GranteeGrant, full: RepositoryPattern): boolean => {
    if (repository === undefined) return overlaps(full, asked)
    const grants = holdGrants([{ ...grant, team: undefined }])
    const facts = { anonymous, principal: anyRobot, grants, visibility: undefined }
    return permissions.some((permission) => decide(facts, permission, repository).allowed)
  }
  const known = new Map<string, boolean>()
  return (grant) => {
    const gives = expandActions(grant.actions.filter(isRoleAction))
    if (!permissions.some((permission) => gives.includes(permission))) return false
    const full = patternBelow(grant.owner, grant.pattern)
    const key = `${grant.role} ${full}`
    const found = known.get(key) ?? allows(grant, full)
    known.set(key, found)
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

/** An invalid cursor starts at the beginning. */
function parseCursor(text = ''): Cursor {
  const [kind, value = '', more = ''] = text.split(':')
  if (kind === 'a') return { administrator: value }
  const [number, second] = [value, more].map((digits) => (/^\d{1,15}$/.test(digits) ? Number(digits) : 0))
  if (kind === 'g') return { grantId: number ?? 0, accountId: second ?? 0 }
  return { first: kind === 'f' ? (number ?? 0) : 0 }
}
