import { expect, test } from 'vitest'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import { insertAccount, insertRobot, setAccountDisabled } from '../../identity/accounts.ts'
import { listAdministrators } from '../../identity/administrators.ts'
import { Conflict } from '../../errors.ts'
import { listGrantsOn, listTeamAccounts } from '../../rights/grantees.ts'
import { deleteGrant, findGrant, insertGrant, listGrants, listGrantsOf } from '../../rights/grants.ts'
import type { GrantPrincipal } from '../../rights/grants.ts'
import { listRepositories } from '../../repositories/list-repositories.ts'
import type { Metadata } from '../../metadata.ts'
import { isMountable } from '../content/mountable.ts'
import { getRightsVersion, raiseRightsVersion } from '../../system/rights-version.ts'
import { deleteRole, findRole, holdRole, insertRole, listRoles } from '../../rights/roles.ts'
import { insertTeam, insertTeamMember } from '../../owners/teams.ts'
import type { NameSet } from '../../repositories/visible-repositories.ts'
import { aName, createLinkedBlob, createRepository, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'
import { createOrganization, createUser } from '../owners/owners-contract.ts'

interface GrantTerms {
  readonly ownerId: number
  readonly principal: GrantPrincipal
  readonly role?: string
  readonly pattern?: string
}

async function grant(metadata: Metadata, terms: GrantTerms): Promise<number> {
  const { ownerId, principal, role = 'reader', pattern = '**' } = terms
  const { id } = await metadata.transact(async (tx) => {
    const held = await holdRole(tx, role)
    return insertGrant(tx, { ownerId, pattern, principal, roleId: held?.id ?? 0, createdBy: 'test', now: 9 })
  })
  return id
}

function account(id: number): GrantPrincipal {
  return { kind: 'account', id }
}

async function createTeam(metadata: Metadata, ownerId: number, members: readonly number[]): Promise<number> {
  return metadata.transact(async (tx) => {
    const teamId = await insertTeam(tx, { ownerId, name: 'dev', now: 1 })
    for (const accountId of members) await insertTeamMember(tx, { teamId, accountId, now: 1 })
    return teamId
  })
}

export function testGrants({ metadata }: ContractSubject): void {
  test('lists all grants of an account, its own and those of its teams', async () => {
    const owner = unique('org')
    const ownerId = await createOrganization(metadata(), owner)
    const [bob, carol] = [await createUser(metadata()), await createUser(metadata())]
    const teamId = await createTeam(metadata(), ownerId, [bob])
    const own = await grant(metadata(), { ownerId, principal: account(bob), pattern: 'web/**' })
    const team = { kind: 'team', id: teamId } as const
    const ofTeam = await grant(metadata(), { ownerId, principal: team, role: 'writer' })
    const held = await listGrantsOf(metadata().reader, bob)
    expect(held.toSorted((a, b) => a.id - b.id)).toEqual([
      { id: own, owner, pattern: 'web/**', role: 'reader', actions: ['pull'], team: undefined },
      { id: ofTeam, owner, pattern: '**', role: 'writer', actions: ['pull', 'push'], team: `${owner}/dev` },
    ])
    expect(await listGrantsOf(metadata().reader, carol)).toEqual([])
  })

  test('lists grants by owner and by principal, page by page', async () => {
    const [name, robot] = [unique('org'), unique('robot')]
    const ownerId = await createOrganization(metadata(), name)
    const bob = await createUser(metadata(), `${name}-bob`)
    const ci = await metadata().transact((tx) => insertRobot(tx, { name: robot, ownerId, now: 1 }))
    const teamId = await createTeam(metadata(), ownerId, [bob])
    const principals = [account(bob), account(ci), { kind: 'team', id: teamId } as const]
    const ids: number[] = []
    for (const principal of principals) ids.push(await grant(metadata(), { ownerId, principal }))
    const { reader } = metadata()
    const all = await listGrants(reader, { ownerId, limit: 10 })
    expect(all.map(({ id }) => id)).toEqual(ids)
    expect(all.map(({ to }) => to)).toEqual([
      { kind: 'user', name: `${name}-bob` },
      { kind: 'robot', name: robot },
      { kind: 'team', name: `${name}/dev` },
    ])
    expect(await listGrants(reader, { ownerId, after: ids[0], limit: 1 })).toEqual([all[1]])
    expect(await listGrants(reader, { principal: account(ci), limit: 9 })).toEqual([all[1]])
    expect(await listGrants(reader, { ownerId: ownerId + 1_000_000, limit: 9 })).toEqual([])
    expect(await findGrant(reader, ids[2] ?? 0)).toEqual(all[2])
  })

  test('lists the holders of grants of an owner, including members of teams', async () => {
    const ownerId = await createOrganization(metadata())
    const accounts = [
      await createUser(metadata()),
      await createUser(metadata()),
      await createUser(metadata()),
    ]
    const [bob = 0, carol = 0, dave = 0] = accounts
    const teamId = await createTeam(metadata(), ownerId, [bob, carol])
    const first = await grant(metadata(), { ownerId, principal: { kind: 'team', id: teamId } })
    const second = await grant(metadata(), { ownerId, principal: account(dave) })
    const { reader } = metadata()
    const found: unknown[] = []
    for (let after = 0; found.length < 3;) {
      const [one] = await listGrantsOn(reader, { ownerId, after, limit: 1 })
      if (one === undefined) break
      found.push([one.id, one.account?.id, one.team?.id, one.role])
      after = one.id
    }
    expect(found).toEqual([
      [first, undefined, teamId, 'reader'],
      [second, dave, undefined, 'reader'],
    ])
    const members = await listTeamAccounts(reader, { teamId, after: 0, limit: 9 })
    expect(members).toMatchObject([
      { id: bob, kind: 'user', disabled: false },
      { id: carol, kind: 'user', disabled: false },
    ])
    expect(await listTeamAccounts(reader, { teamId, after: bob, limit: 1 })).toEqual(members.slice(1))
  })

  test('the same grant exists once, and each change raises the version of the rights', async () => {
    const ownerId = await createOrganization(metadata())
    const principal = account(await createUser(metadata()))
    const versions: number[] = []
    const note = async () => versions.push(await getRightsVersion(metadata().reader))
    await note()
    const id = await grant(metadata(), { ownerId, principal })
    await note()
    expect(await grant(metadata(), { ownerId, principal })).toBe(id)
    expect(await metadata().transact((tx) => deleteGrant(tx, id))).toMatchObject({ id, role: 'reader' })
    await note()
    expect(await metadata().transact((tx) => deleteGrant(tx, id))).toBeUndefined()
    await metadata().transact((tx) => raiseRightsVersion(tx))
    await note()
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b))
    expect(await findGrant(metadata().reader, id)).toBeUndefined()
  })

  test('refuses a grant to a deleted account or team', async () => {
    const ownerId = await createOrganization(metadata())
    const nobody = account(Number.MAX_SAFE_INTEGER)
    await expect(grant(metadata(), { ownerId, principal: nobody })).rejects.toBeInstanceOf(Conflict)
  })

  test('lists administrators', async () => {
    const name = unique('root')
    await createUser(metadata(), `${name}-no`)
    await metadata().transact((tx) => insertAccount(tx, { name, passwordHash: 'x', isAdmin: true, now: 1 }))
    await metadata().transact((tx) => setAccountDisabled(tx, { name, disabled: true }))
    const found = await listAdministrators(metadata().reader, { after: name.slice(0, -1), limit: 9 })
    expect(found.filter((one) => one.name.startsWith(name))).toEqual([{ name, disabled: true }])
  })
}

export function testRoles({ metadata }: ContractSubject): void {
  test('has the built-in ones, and keeps them', async () => {
    const { reader } = metadata()
    const found = await Promise.all(
      ['reader', 'writer', 'maintainer', 'owner'].map(
        async (name) => (await findRole(reader, name))?.actions,
      ),
    )
    expect(found).toEqual([
      ['pull'],
      ['pull', 'push'],
      ['pull', 'push', 'delete', 'manage'],
      ['pull', 'push', 'delete', 'manage', 'administer'],
    ])
    expect(await metadata().transact((tx) => deleteRole(tx, 'reader'))).toBe('built-in')
  })

  test('creates, lists and deletes custom ones, except for those in use', async () => {
    const name = unique('role')
    const add = () => metadata().transact((tx) => insertRole(tx, { name, actions: ['push:create'], now: 1 }))
    const remove = () => metadata().transact((tx) => deleteRole(tx, name))
    const id = await add()
    await expect(add()).rejects.toBeInstanceOf(Conflict)
    const role = { id, name, actions: ['push:create'], isBuiltIn: false }
    expect(await listRoles(metadata().reader, { after: name.slice(0, -1), limit: 1 })).toEqual([role])
    const ownerId = await createOrganization(metadata())
    const principal = account(await createUser(metadata()))
    const grantId = await grant(metadata(), { ownerId, principal, role: name })
    expect(await remove()).toBe('used')
    await metadata().transact((tx) => deleteGrant(tx, grantId))
    expect([await remove(), await remove()]).toEqual(['deleted', 'unknown'])
  })
}

/** A set of the names that end in `-test`, and all of `whole/`, of the one owner `owner`. */
function aSet(owner: string): NameSet {
  const end = `${owner}/whole/`
  return {
    ranges: [{ from: `${owner}/`, to: `${owner}0` }],
    whole: [{ from: end, to: `${owner}/whole0` }],
    has: (name) => name.startsWith(end) || (name.startsWith(`${owner}/`) && name.endsWith('-test')),
  }
}

export function testGrantedNames({ metadata }: ContractSubject): void {
  test('B8: fills pages although a pattern leaves out most of a range', async () => {
    const owner = unique('own')
    const names = [
      ...numbers(40).map((n) => `a${n + 10}${n % 13 === 0 ? '-test' : ''}`),
      'whole/x',
      'whole/y',
    ]
    for (const name of names)
      await createRepository(metadata(), { name: `${owner}/${name}` as RepositoryName })
    const granted = aSet(owner)
    const visible = { all: false, public: false, owner: undefined, granted } as const
    const expected = names.map((name) => `${owner}/${name}`).filter((name) => granted.has(name))
    const found: string[] = []
    for (const _ of numbers(4)) {
      const after = found.at(-1)
      const page = await listRepositories(metadata().reader, {
        limit: 2,
        visible,
        ...(after !== undefined && { after }),
      })
      found.push(...page)
    }
    expect(found).toEqual(expected.toSorted())
  })

  test('lists granted, own and public repositories once, and nothing beyond the bounds of a token', async () => {
    const owner = unique('own')
    for (const name of ['a-test', 'b', 'whole/x']) {
      await createRepository(metadata(), { name: `${owner}/${name}` as RepositoryName, visibility: 'public' })
    }
    const granted = aSet(owner)
    const { reader } = metadata()
    const list = async (within: NameSet | undefined, ownOnly: boolean) => {
      const seen = ownOnly ? { public: false, owner } : { public: true, internal: true, owner }
      const visible = { all: false, ...seen, granted, within } as const
      const names = await listRepositories(reader, { after: `${owner}/`, limit: 3, visible })
      return names.filter((name) => name.startsWith(`${owner}/`)).map((name) => name.slice(owner.length + 1))
    }
    expect(await list(undefined, false)).toEqual(['a-test', 'b', 'whole/x'])
    expect(await list(undefined, true)).toEqual(['a-test', 'b', 'whole/x'])
    expect(await list(granted, false)).toEqual(['a-test', 'whole/x'])
    const everything = await listRepositories(reader, { limit: 9, visible: { all: true, within: granted } })
    expect(everything).toEqual([`${owner}/a-test`, `${owner}/whole/x`])
  })

  test('B1: mounts from granted repositories, by name or from fully granted ranges', async () => {
    const owner = unique('own')
    const granted = aSet(owner)
    const visible = { all: false, public: false, owner: undefined, granted } as const
    const { reader } = metadata()
    const found: unknown[] = []
    for (const name of ['a-test', 'b', 'whole/x'] as const) {
      const from = `${owner}/${name}` as RepositoryName
      const digest = await createLinkedBlob(metadata(), await createRepository(metadata(), { name: from }))
      const search = { digest, visible, target: aName() }
      const narrow = { ...search, visible: { ...visible, within: aSet(unique('other')) } }
      found.push([
        await isMountable(reader, { ...search, from }),
        await isMountable(reader, { ...narrow, from }),
        await isMountable(reader, narrow),
      ])
    }
    expect(found).toEqual([
      [true, false, false],
      [false, false, false],
      [true, false, false],
    ])
  })
}
