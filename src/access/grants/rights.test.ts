/** Tests grants and roles through the real services. */
import { describe, expect, test } from 'vitest'
import { type OpenAuth, basic, openAuthWithUsers, origin } from '../../../test/support/parts/open-auth.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { testDatabase } from '../../../test/support/parts/test-database.ts'
import { tester } from '../../../test/support/parts/tester.ts'
import { insertAccount } from '../../metadata/identity/accounts.ts'
import { renameOwner } from '../../metadata/owners/owner-rename.ts'
import { findOwner } from '../../metadata/owners/owners.ts'
import { kyselyOf } from '../../metadata/sql/database.ts'
import { insertTeam, insertTeamMember } from '../../metadata/owners/teams.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import type { Auth } from '../../auth.ts'
import type { Permission } from '../permissions.ts'
import { parseRepositoryPattern } from '../patterns/repository-pattern.ts'
import type { Holder } from '../explain/access-explain.ts'
import { builtInRoles } from '../explain/explain-verdict.ts'
import { VersionWatch } from '../version-watch.ts'

/** Users root, an administrator, bob, and carol. */
async function open(): Promise<OpenAuth> {
  const opened = await openAuthWithUsers()
  await opened.auth.accounts.add(
    { name: 'carol', password: 'a password of some length', isAdmin: false },
    tester,
  )
  return opened
}

async function can(
  auth: Auth,
  authorization: string,
  [permission, name]: [Permission, string],
): Promise<boolean> {
  const principal = await auth.authenticator.authenticate(authorization, origin)
  return (await auth.policy.decide(principal, permission, parseRepositoryName(name))).allowed
}

const carol = basic('carol', 'a password of some length')

async function addTeam({ auth, metadata }: OpenAuth, owner: string, member: string): Promise<number> {
  const ownerId = (await findOwner(metadata.reader, owner))?.id ?? 0
  const accountId = (await auth.accounts.find(member))?.id ?? 0
  return metadata.transact(async (tx) => {
    const teamId = await insertTeam(tx, { ownerId, name: 'dev', now: 1 })
    await insertTeamMember(tx, { teamId, accountId, now: 1 })
    return teamId
  })
}

describe('a change of rights', () => {
  test('C2: counts at the next request here, and within a second in another process that remembered the old ones', async () => {
    await using opened = await open()
    const [here, there] = [opened.auth, await opened.openSecond()]
    const asked: [Permission, string] = ['pull', 'bob/web']
    const follows = async (expected: boolean): Promise<void> => {
      expect(await can(here, carol, asked)).toBe(expected)
      // If the database answers at once, the other process must see the change at the first try.
      const timeoutMs = testDatabase === 'sqlite' ? -1 : 15_000
      await eventually(
        () => can(there, carol, asked),
        (found) => found === expected,
        timeoutMs,
      )
    }
    expect(await can(there, carol, asked)).toBe(false)
    for (let round = 0; round < 3; round++) {
      const granted = { owner: 'bob', repositories: 'w*', role: 'reader', to: 'carol' }
      const { id } = await here.grants.add(granted, tester)
      await follows(true)
      await here.grants.remove(id, tester)
      await follows(false)
    }
  })

  test('is audited with its content', async () => {
    await using opened = await open()
    const { grants, roles } = opened.auth
    await roles.add({ name: 'ci', actions: ['push:create', 'pull', 'pull'] }, tester)
    const { id } = await grants.add({ owner: 'bob', repositories: '**', role: 'ci', to: 'carol' }, tester)
    await grants.add({ owner: 'bob', repositories: '**', role: 'ci', to: 'carol' }, tester)
    await grants.remove(id, tester)
    await roles.remove('ci', tester)
    const found = await opened.audit.search({ filter: {}, limit: 20 })
    const changes = found.filter(({ action }) => /^(?:grant|role)\./.test(action))
    const detail = { grant: id, on: 'bob/**', role: 'ci', to: 'user carol' }
    const byId = changes.toSorted((a, b) => a.id - b.id)
    expect(byId).toMatchObject([
      {
        action: 'role.create',
        target: { kind: 'role', name: 'ci' },
        detail: { actions: ['pull', 'push:create'] },
      },
      { action: 'grant.create', target: { kind: 'owner', name: 'bob' }, detail },
      { action: 'grant.delete', target: { kind: 'owner', name: 'bob' }, detail },
      { action: 'role.delete', target: { kind: 'role', name: 'ci' } },
    ])
  })

  test('the version is read again after half a second with a slow database', async () => {
    let [now, version, asked] = [0, 1, 0]
    const watch = new VersionWatch({
      now: () => now,
      getVersion: () => {
        asked++
        return Promise.resolve(version)
      },
    })
    expect(await watch.current()).toBe(1)
    version = 2
    now = 499
    expect([await watch.current(), asked]).toEqual([1, 1])
    now = 500
    expect([await watch.current(), asked]).toEqual([2, 2])
  })

  test('the version is read again at once after a change by this process, even during another read', async () => {
    const answers: PromiseWithResolvers<number>[] = []
    const watch = new VersionWatch({
      now: () => 0,
      getVersion() {
        const answer = Promise.withResolvers<number>()
        answers.push(answer)
        return answer.promise
      },
    })
    const before = watch.current()
    watch.expire()
    const after = watch.current()
    answers[1]?.resolve(2)
    answers[0]?.resolve(1)
    expect([await before, await after]).toEqual([1, 2])
    // The older answer arrived last, and must not replace the newer one.
    expect([await watch.current(), answers.length]).toEqual([2, 2])
    watch.expire()
    void watch.current()
    expect(answers).toHaveLength(3)
  })
})

describe('grants', () => {
  const refused = { name: 'TooManyGrantsError' }

  test('A4: to one principal are bounded, because all are read with its rights', async () => {
    await using opened = await open()
    const { grants } = opened.auth
    const add = (repositories: string, to: string) =>
      grants.add({ owner: 'bob', repositories, role: 'reader', to }, tester)
    for (let count = 0; count < 200; count += 1) await add(`r${count}`, 'carol')
    await expect(add('more', 'carol')).rejects.toMatchObject(refused)
    expect(await add('r0', 'carol')).toMatchObject({ pattern: 'r0' })
    expect(await add('more', 'root')).toMatchObject({ pattern: 'more' })
    expect(await grants.list({ owner: 'bob', limit: 300 })).toHaveLength(201)
  })

  test('A4: on the repositories of one owner are bounded', async () => {
    await using opened = await open()
    const { metadata, auth } = opened
    const ownerId = (await findOwner(metadata.reader, 'bob'))?.id ?? 0
    const terms = { owner_id: ownerId, pattern: '**', role_id: 1, created_at: 1, created_by: 'x' }
    await metadata.transact(async (tx) => {
      for (let start = 0; start < 10_000; start += 1_000) {
        const rows = Array.from({ length: 1_000 }, (_, n) => ({
          ...terms,
          principal_kind: 'team' as const,
          principal_id: 1_000_000 + start + n,
        }))
        await kyselyOf(tx).insertInto('access_grant').values(rows).execute()
      }
    })
    const added = auth.grants.add({ owner: 'bob', repositories: '**', role: 'reader', to: 'carol' }, tester)
    await expect(added).rejects.toMatchObject(refused)
  })
})

describe('a robot', () => {
  test('C5: has the rights granted to it, limited by its access token', async () => {
    await using opened = await open()
    const { robots, accessTokens, grants, policy, authenticator } = opened.auth
    const robot = await robots.create('bob+ci', tester)
    await grants.add({ owner: 'bob', repositories: '**', role: 'writer', to: 'bob+ci' }, tester)
    const request = {
      actions: ['push:create', 'delete'],
      patterns: [parseRepositoryPattern('bob/web/*')],
    } as const
    const { secret } = await accessTokens.create(robot.id, { name: 'ci', ...request }, tester)
    const authorization = basic('bob+ci', secret)
    const asked = [
      ['push:create', 'bob/web/app'],
      ['push:create', 'bob/web'],
      ['push:update', 'bob/web/app'],
      ['pull', 'bob/web/app'],
      ['delete', 'bob/web/app'],
    ] as const
    const found: boolean[] = []
    for (const [permission, name] of asked)
      found.push(await can(opened.auth, authorization, [permission, name]))
    expect(found).toEqual([true, false, false, false, false])
    const principal = await authenticator.authenticate(authorization, origin)
    expect(await policy.visibleTo(principal)).toMatchObject({ all: false, public: false, owner: undefined })
    const scopes = [{ type: 'repository', name: 'bob/web/app', actions: ['delete', 'pull', 'push'] }] as const
    expect(await policy.grant(principal, scopes)).toEqual([{ ...scopes[0], actions: ['push'] }])
  })
})

test('public access is explained even if a user has a reserved name', async () => {
  await using opened = await open()
  const { access } = opened.auth
  // Such a user may date from before the name was refused.
  const user = { name: 'anonymous', passwordHash: 'none', isAdmin: true, adopt: false, now: 0 }
  await opened.metadata.transact((tx) => insertAccount(tx, user))
  const asked = { principal: 'anonymous', action: 'pull', repository: 'bob/web' } as const
  expect(await access.explain(asked)).toMatchObject({ allowed: false })
})

describe('the list of holders', () => {
  async function listAll(auth: Auth, action: 'pull' | 'push', limit: number): Promise<Holder[]> {
    const found: Holder[] = []
    let after: string | undefined
    do {
      const page = await auth.access.whoCan({ action, owner: 'bob', repositories: 'web', after, limit })
      expect(page.holders.length).toBeLessThanOrEqual(limit)
      found.push(...page.holders)
      ;({ after } = page)
    } while (after !== undefined)
    return found
  }

  test('includes creation by anyone only if anyone may push', async () => {
    for (const anonymous of ['push', 'pull'] as const) {
      await using opened = await openAuthWithUsers({ anonymous })
      for (const repositories of ['**', 'new', 'new/*']) {
        const asked = { action: 'push', owner: 'bob', repositories, limit: 9 } as const
        const { holders } = await opened.auth.access.whoCan(asked)
        const isOpen = holders.some(({ kind }) => kind === 'anyone')
        expect([anonymous, repositories, isOpen]).toEqual([anonymous, repositories, anonymous === 'push'])
      }
    }
  })

  test('says the same by a former name as requests do', async () => {
    await using opened = await open()
    const { access, grants } = opened.auth
    await grants.add({ owner: 'bob', repositories: 'web', role: 'writer', to: 'carol' }, tester)
    await opened.metadata.transact((tx) => renameOwner(tx, { name: 'bob', newName: 'robert', now: 2 }))
    const explain = (action: 'pull' | 'push', principal: string) =>
      access.explain({ principal, action, repository: 'bob/web' })
    expect(await explain('pull', 'carol')).toMatchObject({ allowed: true })
    expect(await explain('push', 'carol')).toMatchObject({
      allowed: false,
      text: 'denied because bob/web is now called robert/web, and the former name only serves pulls: use robert/web',
    })
    const whoCan = async (action: 'pull' | 'push') => {
      const { holders } = await access.whoCan({ action, owner: 'bob', repositories: 'web', limit: 9 })
      return holders.map(({ name }) => name)
    }
    expect([await whoCan('pull'), await whoCan('push')]).toEqual([['robert', 'root', 'carol'], []])
  })

  test('includes an access token while it is valid and within its limits', async () => {
    await using opened = await open()
    const { access, accounts, accessTokens } = opened.auth
    const { id } = (await accounts.find('bob')) ?? { id: 0 }
    const limits = { actions: ['pull'], patterns: [parseRepositoryPattern('bob/web')] } as const
    const expiresAt = opened.clock.now() + 1_000
    const { token } = await accessTokens.create(id, { name: 'x', ...limits, expiresAt }, tester)
    const explain = async (action: 'pull' | 'push', repository = 'bob/web') =>
      (await access.explain({ principal: 'bob', token: token.id, action, repository })).text
    expect(await explain('pull')).toBe('allowed because user bob owns bob')
    expect(await explain('push')).toContain('the access token is limited and does not reach push in bob/web')
    expect(await explain('pull', 'bob/api')).toContain('does not reach pull in bob/api')
    opened.clock.advance(1_000)
    expect(await explain('pull')).toBe(`denied because access token ${token.id} of user bob has expired`)
    await accessTokens.revoke(token.id, tester)
    expect(await explain('pull')).toBe(`denied because access token ${token.id} of user bob is revoked`)
    const ofCarol = { principal: 'carol', token: token.id, action: 'pull', repository: 'bob/web' } as const
    await expect(access.explain(ofCarol)).rejects.toMatchObject({ name: 'AccessTokenUnknownError' })
  })

  test('excludes a robot while the user who owns it is disabled', async () => {
    await using opened = await open()
    const { access, accounts, robots, grants } = opened.auth
    await robots.create('bob+ci', tester)
    await grants.add({ owner: 'bob', repositories: '**', role: 'writer', to: 'bob+ci' }, tester)
    await accounts.disable('bob', tester)
    const explain = { principal: 'bob+ci', action: 'pull', repository: 'bob/web' } as const
    expect(await access.explain(explain)).toMatchObject({
      allowed: false,
      text: 'denied because user bob, who owns robot bob+ci, is disabled',
    })
    const asked = { action: 'pull', owner: 'bob', repositories: '**', limit: 9 } as const
    expect((await access.whoCan(asked)).holders.map(({ name }) => name)).toEqual(['root'])
    expect(await robots.list({ limit: 9 })).toMatchObject([{ disabled: false, ownerDisabled: true }])
  })

  test('is the same in pages of any size, with members of teams and without the disabled', async () => {
    await using opened = await open()
    const { auth } = opened
    await addTeam(opened, 'bob', 'carol')
    await auth.robots.create('bob+ci', tester)
    await auth.accounts.add({ name: 'dave', password: 'a password of some length', isAdmin: false }, tester)
    const team = await auth.grants.add(
      { owner: 'bob', repositories: '**', role: 'writer', to: 'bob/dev' },
      tester,
    )
    await auth.grants.add({ owner: 'bob', repositories: 'api', role: 'writer', to: 'carol' }, tester)
    await auth.grants.add({ owner: 'bob', repositories: 'w*', role: 'reader', to: 'bob+ci' }, tester)
    const robot = await auth.grants.add(
      { owner: 'bob', repositories: '*b', role: 'writer', to: 'bob+ci' },
      tester,
    )
    await auth.grants.add({ owner: 'bob', repositories: '**', role: 'writer', to: 'dave' }, tester)
    await auth.accounts.disable('dave', tester)
    const all = await listAll(auth, 'push', 100)
    expect(all).toEqual([
      { kind: 'user', name: 'bob', because: 'user bob owns bob', grantId: undefined },
      { kind: 'user', name: 'root', because: 'user root is an administrator', grantId: undefined },
      {
        kind: 'user',
        name: 'carol',
        because: `grant ${team.id} gives writer on bob/** to team bob/dev`,
        grantId: team.id,
      },
      {
        kind: 'robot',
        name: 'bob+ci',
        because: `grant ${robot.id} gives writer on bob/*b to robot bob+ci`,
        grantId: robot.id,
      },
    ])
    for (const limit of [1, 2, 3]) expect(await listAll(auth, 'push', limit)).toEqual(all)
    expect(await listAll(auth, 'pull', 1)).toHaveLength(5)
  })
})

test('the built-in roles match those in explanations', async () => {
  await using opened = await open()
  const found = await opened.auth.roles.list({ limit: 9 })
  const expected = builtInRoles.map(([name, actions]) => ({ name, actions: [...actions], isBuiltIn: true }))
  expect(found).toEqual(expected.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
})
