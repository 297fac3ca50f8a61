/** Compares decisions with a slow, simple evaluation for random rights, and checks that explanations are true. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GrantOf } from '../metadata/rights/grants.ts'
import { isVisible } from '../metadata/repositories/visible-repositories.ts'
import type { RepositoryVisibility } from '../metadata/repositories/visible-repositories.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { createPolicy, openVisibilities } from './access-policy.ts'
import { expandActions, isRoleAction, permissions } from './permissions.ts'
import type { Permission, RoleAction } from './permissions.ts'
import type { Explanation, Policy } from './policy.ts'
import type { Principal, TokenLimits } from '../identity/principal.ts'
import { parseRepositoryPattern } from './patterns/repository-pattern.ts'
import type { AnonymousMode } from './decide.ts'
import { builtInRoles } from './explain/explain-verdict.ts'
import { holdGrants } from './grants/held-grants.ts'

interface TeamGrant extends GrantOf {
  readonly to: 'bob' | 'red' | 'blue'
}

interface World {
  readonly anonymous: AnonymousMode
  readonly principal: Principal
  /** The teams of bob. */
  readonly teams: readonly string[]
  readonly grants: readonly TeamGrant[]
  readonly access: RepositoryVisibility | undefined
  readonly repository: RepositoryName
  readonly permission: Permission
}

const owner = fc.constantFrom('acme', 'bob')
const below = fc.constantFrom('web', 'web/app', 'web/app/more', 'api', 'web-2')
const relative = fc.constantFrom('**', 'web', 'web/**', 'web/*', 'w*', '*/app', '**/more', 'ap', 'ap*')
const visibility = fc.constantFrom('public', 'internal', 'private')
const access = fc.option(fc.record({ visibility, ownerVisibility: visibility }), { nil: undefined })
const permission = fc.constantFrom(...permissions)
const roleName = fc.constantFrom('reader', 'writer', 'maintainer', 'owner', 'adder', 'mover', 'remover')

const actionsOf: Readonly<Record<string, readonly RoleAction[]>> = {
  ...Object.fromEntries(builtInRoles),
  adder: ['push:create'],
  mover: ['push:update'],
  remover: ['delete'],
}

const grants = fc
  .array(fc.record({ owner, pattern: relative, role: roleName, to: fc.constantFrom('bob', 'red', 'blue') }), {
    maxLength: 5,
  })
  .map((list) =>
    list.map((grant, index): TeamGrant => {
      const { to, role } = grant
      const team = to === 'bob' ? undefined : `acme/${to}`
      return { ...grant, id: index + 1, actions: actionsOf[role] ?? [], team }
    }),
  )

const limits = fc.record({
  tokenId: fc.constant(1),
  permissions: fc.option(
    fc.uniqueArray(permission).map((list) => new Set(list)),
    { nil: undefined },
  ),
  patterns: fc.option(
    fc.uniqueArray(
      fc.constantFrom('acme/**', 'acme/web/*', '**', '*/web', 'bob/web').map(parseRepositoryPattern),
    ),
    { nil: undefined },
  ),
})

const account = fc.record({
  kind: fc.constantFrom('user', 'robot'),
  accountId: fc.constant(2),
  name: fc.constant('bob'),
  isAdmin: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  scopes: fc.constant(undefined),
  limits: fc.option(limits, { nil: undefined }),
})

const world: fc.Arbitrary<World> = fc.record({
  anonymous: fc.constantFrom('none', 'pull', 'push'),
  principal: fc.oneof(
    { weight: 5, arbitrary: account },
    { weight: 1, arbitrary: fc.constant({ kind: 'anonymous', scopes: undefined } as const) },
  ),
  teams: fc.uniqueArray(fc.constantFrom('red', 'blue')),
  grants,
  access,
  repository: fc.tuple(owner, below).map((parts) => parseRepositoryName(parts.join('/'))),
  permission,
})

function open({ anonymous, access: found, teams, grants: list }: World): Policy {
  const held = list.filter(({ to }) => to === 'bob' || teams.includes(to))
  return createPolicy({
    anonymous,
    newRepositoryVisibility: 'private',
    findAccess: () => found,
    findOwner: () => undefined,
    grantsOf: () => holdGrants(held),
  })
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('/').map((part, index, all) => {
    if (part === '**') return index === all.length - 1 ? '.+' : '(?:.+/)?'
    return part.replaceAll('*', '[^/]*') + (index === all.length - 1 ? '' : '/')
  })
  return new RegExp(`^${parts.join('')}$`).test(name)
}

function isWithin(limit: TokenLimits | undefined, given: World): boolean {
  if (limit?.permissions?.has(given.permission) === false) return false
  return limit?.patterns?.some((pattern) => matches(pattern, given.repository)) !== false
}

/** The rules of the manual, line by line. */
function isAllowed(given: World): boolean {
  const { principal, permission: asked, repository, grants: list, teams } = given
  const [name] = repository.split('/')
  if (principal.kind !== 'anonymous' && !isWithin(principal.limits, given)) return false
  if (principal.kind !== 'anonymous' && principal.isAdmin) return true
  if (principal.kind === 'user' && principal.name === name) return true
  if (isOpen(given)) return true
  if (principal.kind === 'anonymous') return false
  return list.some(
    (grant) =>
      grant.owner === name &&
      matches(`${grant.owner}/${grant.pattern}`, repository) &&
      (grant.to === 'bob' || teams.includes(grant.to)) &&
      expandActions(grant.actions.filter(isRoleAction)).includes(asked),
  )
}

function isOpen({ access: found, anonymous, permission: asked, principal }: World): boolean {
  // With `push`, anyone may create public repositories.
  const { visibility: own, ownerVisibility } =
    found ?? (anonymous === 'push' ? ({ visibility: 'public', ownerVisibility: 'public' } as const) : nothing)
  const isPublic = own === 'public' && ownerVisibility === 'public'
  if (isPublic && anonymous === 'push') return asked !== 'manage' && asked !== 'administer'
  if (asked !== 'pull') return false
  if (isPublic) return anonymous === 'pull' || principal.kind === 'user'
  return own !== 'private' && ownerVisibility !== 'private' && principal.kind === 'user'
}

const nothing = { visibility: 'private', ownerVisibility: 'private' } as const

async function decide(given: World): Promise<boolean> {
  return (await open(given).decide(given.principal, given.permission, given.repository)).allowed
}

function explain(given: World): Promise<Explanation> {
  return open(given).explain(given.principal, given.permission, given.repository)
}

/** Whether this grant alone allows the action. */
async function sufficesAlone(given: World, grantId: number | undefined): Promise<boolean> {
  if (grantId === undefined) return true
  const list = given.grants.filter(({ id }) => id === grantId)
  return decide({ ...given, grants: list, access: undefined, anonymous: 'none' })
}

async function wouldHelp(given: World, remedy: Explanation['remedy']): Promise<boolean> {
  if (remedy === undefined) return true
  const [name = '', ...rest] = remedy.on.split('/')
  const cure = { id: 99, owner: name, pattern: rest.join('/'), role: remedy.role, team: undefined }
  return decide({ ...given, grants: [{ ...cure, actions: actionsOf[remedy.role] ?? [], to: 'bob' }] })
}

describe('a decision', () => {
  test('agrees with a plain evaluation for any grants', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        expect(await decide(given)).toBe(isAllowed(given))
      }),
      { numRuns: 5000 },
    )
  })

  test('is explained by one sufficient grant, or by a role that would suffice', async () => {
    const seen = { grant: 0, remedy: 0 }
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const { allowed, text, grantId, remedy } = await explain(given)
        expect(allowed).toBe(await decide(given))
        expect(text).toMatch(allowed ? /^allowed because / : /^denied because /)
        seen.grant += grantId === undefined ? 0 : 1
        seen.remedy += remedy === undefined ? 0 : 1
        expect(text).toContain(grantId === undefined ? '' : `grant ${grantId} gives`)
        expect(await sufficesAlone(given, grantId)).toBe(true)
        expect(await wouldHelp(given, remedy)).toBe(true)
      }),
      { numRuns: 3000 },
    )
    expect(Math.min(seen.grant, seen.remedy)).toBeGreaterThan(100)
  })

  test('about pulling agrees with the visible repositories', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        fc.pre(given.access !== undefined)
        const { repository, access: found = nothing } = given
        const visible = await open(given).visibleTo(given.principal)
        const isSeen = isVisible({ ...found, name: repository }, visible)
        expect(isSeen).toBe(await decide({ ...given, permission: 'pull' }))
      }),
      { numRuns: 3000 },
    )
  })

  test('about an owner is never yes for an owner that lists skip', async () => {
    const visibilities = fc.constantFrom('public', 'internal', 'private')
    await fc.assert(
      fc.asyncProperty(world, owner, visibilities, async (given, name, visibility) => {
        const { principal } = given
        const policy = open(given)
        const seen = await policy.ownersSeenBy(principal)
        const isLookedAt = seen.visibilities.includes(visibility) || seen.names.includes(name)
        const isSeen =
          openVisibilities(principal).includes(visibility) ||
          (await policy.decideOwner(principal, 'pull', name)).allowed
        expect(isSeen && !isLookedAt).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })

  test('C5: a narrower token is allowed nothing that a wider one is not', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        fc.pre(given.principal.kind !== 'anonymous')
        const [narrow, whole] = [given, { ...given, principal: { ...given.principal, limits: undefined } }]
        expect((await decide(narrow)) && !(await decide(whole))).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('about a push names the allowed kinds of push', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const create = await decide({ ...given, permission: 'push:create' })
        const update = await decide({ ...given, permission: 'push:update' })
        const decision = await open(given).decide(given.principal, 'push', given.repository)
        const allowed = { allowed: true, push: { create, update } }
        expect(decision).toMatchObject(create || update ? allowed : { allowed: false })
      }),
      { numRuns: 2000 },
    )
  })

  test('about an owner needs a grant on everything of the owner', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const { principal, permission: asked, grants: list } = given
        const everywhere = { ...given, grants: list.filter(({ pattern }) => pattern === '**') }
        const decision = await open(given).decideOwner(principal, asked, 'acme')
        const repository = parseRepositoryName('acme/any')
        const expected = isAllowed({ ...everywhere, repository, access: nothing, anonymous: 'none' })
        const patterns = principal.kind === 'anonymous' ? undefined : principal.limits?.patterns
        const reaches = patterns?.some((pattern) => pattern === 'acme/**' || pattern === '**') !== false
        expect(decision.allowed).toBe(expected && reaches)
      }),
      { numRuns: 2000 },
    )
  })
})
