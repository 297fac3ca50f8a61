/** Who may do something somewhere below an owner, page by page: by what is open to all, by standing, by grants. */
import { findAccount } from '../../metadata/accounts.ts'
import { listAdministrators } from '../../metadata/administrators.ts'
import { listGrantees } from '../../metadata/grants.ts'
import type { Grantee } from '../../metadata/grants.ts'
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
}

interface Search {
  readonly permissions: readonly Permission[]
  readonly owner: Owner
  readonly pattern: RepositoryPattern
  readonly anonymous: AnonymousMode
}

/** What was listed last: how many of those who need no look at accounts, an administrator, or an account by a grant. */
interface Cursor {
  readonly first?: number
  readonly administrator?: string
  readonly grantId?: number
  readonly accountId?: number
}

interface Step {
  readonly holder: Holder
  readonly cursor: Cursor
}

const batch = 100

export async function listHolders(db: Reader, asked: Asked): Promise<HolderPage> {
  const { owner: name, pattern } = splitPattern(asked.on)
  const owner = await findOwner(db, name)
  if (owner === undefined) throw new OwnerUnknownError(name)
  const search: Search = {
    permissions: expandActions([asked.action]),
    owner,
    pattern: patternBelow(name, pattern),
    anonymous: asked.anonymous,
  }
  const steps: Step[] = []
  for await (const step of walk(db, search, parseCursor(asked.after))) {
    if (steps.length === asked.limit) return pageOf(steps, steps.at(-1)?.cursor)
    steps.push(step)
  }
  return pageOf(steps, undefined)
}

function pageOf(steps: readonly Step[], last: Cursor | undefined): HolderPage {
  return {
    holders: steps.map(({ holder }) => holder),
    after: last === undefined ? undefined : formatCursor(last),
  }
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
  if (first !== undefined || administrator !== undefined) yield* walkAdministrators(db, administrator ?? '')
  yield* walkGrants(db, search, { grantId, accountId })
}

/** One repository is enough of an example. */
async function listOpen(db: Reader, { permissions, pattern, anonymous }: Search): Promise<Holder[]> {
  const within = createNameSet([pattern])
  const findSeen = async (internal: boolean): Promise<string | undefined> => {
    const visible = { all: false, public: true, internal, owner: undefined, within } as const
    const [name] = await listRepositories(db, { limit: 1, visible })
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

async function* walkAdministrators(db: Reader, from: string): AsyncGenerator<Step> {
  let after = from
  for (;;) {
    const found = await listAdministrators(db, { after, limit: batch })
    for (const { name, disabled } of found) {
      const because = `user ${name} is an administrator`
      if (!disabled)
        yield { holder: { kind: 'user', name, because, grantId: undefined }, cursor: { administrator: name } }
    }
    const last = found.at(-1)
    if (last === undefined || found.length < batch) return
    after = last.name
  }
}

async function* walkGrants(
  db: Reader,
  search: Search,
  from: { readonly grantId: number; readonly accountId: number },
): AsyncGenerator<Step> {
  let after = from
  for (;;) {
    const found = await listGrantees(db, { ownerId: search.owner.id, after, limit: batch })
    for (const grantee of found) {
      const cursor = { grantId: grantee.id, accountId: grantee.account.id }
      if (serves(grantee, search)) yield { holder: holderOf(grantee), cursor }
      after = cursor
    }
    if (found.length < batch) return
  }
}

function serves({ account, owner, pattern, actions }: Grantee, search: Search): boolean {
  if (account.disabled) return false
  const allowed = expandActions(actions.filter(isRoleAction))
  if (!search.permissions.some((permission) => allowed.includes(permission))) return false
  return overlaps(patternBelow(owner, pattern), search.pattern)
}

function holderOf({ id, role, owner, pattern, team, account }: Grantee): Holder {
  const { kind, name } = account
  const to = team === undefined ? `${kind} ${name}` : `team ${team}`
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
