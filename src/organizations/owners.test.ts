import { describe, expect, test } from 'vitest'
import { openAuth } from '../../test/support/parts/open-auth.ts'
import type { OpenAuth } from '../../test/support/parts/open-auth.ts'
import { tester } from '../../test/support/parts/tester.ts'
import { interruptBefore } from '../metadata/contract/wrapped-metadata.ts'
import { ensureRepository, findRepository } from '../metadata/repositories/repositories.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import { createMembers, createTeams } from './members.ts'
import { createOwners } from './owners.ts'
import { createRepositories } from './repositories.ts'

const password = 'a password of some length'

async function open() {
  const auth: OpenAuth = await openAuth()
  const { metadata, clock, audit } = auth
  const deps = { metadata, clock, audit }
  const addUser = (name: string, isAdmin = false) =>
    auth.auth.accounts.add({ name, password, isAdmin }, tester)
  return {
    metadata,
    deps,
    audit,
    accounts: auth.auth.accounts,
    owners: createOwners(deps),
    members: createMembers(deps),
    teams: createTeams(deps),
    repositories: createRepositories(deps),
    grants: auth.auth.grants,
    addUser,
    push: (name: string) =>
      metadata.transact((tx) =>
        ensureRepository(tx, { name: parseRepositoryName(name), visibility: 'private', now: 1 }),
      ),
    actions: async () => {
      const events = await audit.search({ filter: {}, limit: 100 })
      return events.toReversed().map(({ action, target }) => `${action} ${target?.kind}:${target?.name}`)
    },
    [Symbol.asyncDispose]: () => auth[Symbol.asyncDispose](),
  }
}

const acme = { name: 'acme', visibility: 'public' } as const

describe('owners', () => {
  test('are made, changed, renamed and deleted, each in the audit', async () => {
    await using given = await open()
    const { owners } = given
    expect(await owners.createOrganization(acme, tester)).toMatchObject({ ...acme, kind: 'organization' })
    expect(await owners.setVisibility('acme', 'private', tester)).toBe('public')
    await owners.rename({ name: 'acme', newName: 'apex' }, tester)
    expect(await owners.find('acme')).toBeUndefined()
    expect(await owners.find('apex')).toMatchObject({ visibility: 'private', formerNames: ['acme'] })
    await owners.delete('apex', { kind: 'organization', purge: false }, tester)
    expect(await owners.list({ limit: 9 })).toEqual([])
    expect(await given.actions()).toEqual([
      'organization.create owner:acme',
      'owner.visibility owner:acme',
      'owner.rename owner:apex',
      'organization.delete owner:apex',
    ])
  })

  test.each(['api', 'v2', 'assets', 'healthz', 'readyz', 'metrics', '-'])(
    'are not called %s, neither organizations nor users',
    async (name) => {
      await using given = await open()
      const refused = {
        message: expect.stringContaining('is reserved for paths of this server'),
      }
      await expect(given.owners.createOrganization({ ...acme, name }, tester)).rejects.toMatchObject(refused)
      await expect(given.addUser(name)).rejects.toMatchObject(refused)
      await given.owners.createOrganization(acme, tester)
      const renamed = given.owners.rename({ name: 'acme', newName: name }, tester)
      await expect(renamed).rejects.toMatchObject(refused)
    },
  )

  test('do not get the former name of another owner', async () => {
    await using given = await open()
    await given.owners.createOrganization(acme, tester)
    await given.owners.rename({ name: 'acme', newName: 'apex' }, tester)
    const refused = { name: 'NameTakenError', message: expect.stringContaining('former name of apex') }
    await expect(given.owners.createOrganization(acme, tester)).rejects.toMatchObject(refused)
    await expect(given.addUser('acme')).rejects.toMatchObject({
      name: 'FormerNameError',
      message: expect.stringContaining('former name of apex'),
    })
    await given.owners.rename({ name: 'apex', newName: 'acme' }, tester)
    expect(await given.owners.find('acme')).toMatchObject({ formerNames: ['apex'] })
  })

  test('A4: reserve a bounded number of names through renaming', async () => {
    await using given = await open()
    const { owners } = given
    await owners.createOrganization(acme, tester)
    let name = 'acme'
    const rename = async (newName: string): Promise<void> => {
      await owners.rename({ name, newName }, tester)
      name = newName
    }
    for (let count = 1; count <= 20; count += 1) await rename(`acme-${count}`)
    await expect(rename('acme-21')).rejects.toMatchObject({
      name: 'NameTakenError',
      message: expect.stringContaining('20 former names'),
    })
    await rename('acme')
    expect((await owners.find('acme'))?.formerNames).toHaveLength(20)
    expect(await owners.find('acme-21')).toBeUndefined()
  })

  test('are of the requested kind', async () => {
    await using given = await open()
    await given.owners.createOrganization(acme, tester)
    const refused = { name: 'OwnerUnknownError' }
    const rename = given.owners.rename({ kind: 'user', name: 'acme', newName: 'apex' }, tester)
    await expect(rename).rejects.toMatchObject(refused)
    const deletion = given.owners.delete('acme', { kind: 'user', purge: true }, tester)
    await expect(deletion).rejects.toMatchObject(refused)
    expect(await given.owners.find('acme')).toBeDefined()
  })

  test('keep their repositories when a purge names an owner of the other kind', async () => {
    await using given = await open()
    await given.owners.createOrganization(acme, tester)
    await given.push('acme/a')
    const deletion = given.owners.delete('acme', { kind: 'user', purge: true }, tester)
    await expect(deletion).rejects.toMatchObject({ name: 'OwnerUnknownError' })
    expect(await given.repositories.list({ limit: 9 })).toMatchObject([{ name: 'acme/a' }])
  })

  test('stay while they have repositories, unless these are purged', async () => {
    await using given = await open()
    await given.addUser('alice')
    for (const name of ['alice/a', 'alice/b', 'alice-2/c']) await given.push(name)
    const remove = (purge: boolean) => given.owners.delete('alice', { kind: 'user', purge }, tester)
    await expect(remove(false)).rejects.toMatchObject({
      name: 'OwnerNotEmptyError',
      message: expect.stringContaining('alice/a'),
    })
    await remove(true)
    expect(await given.accounts.find('alice')).toBeUndefined()
    expect(await given.repositories.list({ limit: 9 })).toMatchObject([{ name: 'alice-2/c' }])
    expect(await given.actions()).toEqual([
      'user.create user:alice',
      'repository.delete repository:alice/a',
      'repository.delete repository:alice/b',
      'user.delete user:alice',
    ])
  })

  test.each([1, 2, 3, 4, 5, 6, 7])(
    'keep what is pushed below a name that was purged and given anew before transaction %i of a second purge',
    async (transaction) => {
      await using given = await open()
      for (const name of ['acme/a', 'acme/b']) await given.push(name)
      const purge = { kind: 'organization', purge: true } as const
      const pushed: number[] = []
      const metadata = interruptBefore(given.metadata, transaction, async () => {
        await given.owners.delete('acme', purge, tester)
        await given.owners.createOrganization(acme, tester)
        for (const name of ['acme/a', 'acme/b']) pushed.push((await given.push(name)).id)
      })
      const second = createOwners({ ...given.deps, metadata })
      const outcome = await second.delete('acme', purge, tester).then(
        () => 'deleted',
        (error: Error) => error.name,
      )
      const found = await given.repositories.list({ owner: 'acme', limit: 9 })
      expect(found.map(({ id }) => id)).toEqual(pushed)
      expect(outcome).toBe(pushed.length > 0 ? 'OwnerUnknownError' : 'deleted')
    },
  )

  test('keep one administrator', async () => {
    await using given = await open()
    await given.addUser('root', true)
    await given.addUser('admin', true)
    await given.accounts.disable('admin', tester)
    const remove = () => given.owners.delete('root', { kind: 'user', purge: false }, tester)
    await expect(remove()).rejects.toMatchObject({ name: 'LastAdministratorError' })
    await given.accounts.enable('admin', tester)
    await remove()
    expect(await given.accounts.find('root')).toBeUndefined()
  })

  test('list and change their repositories', async () => {
    await using given = await open()
    for (const name of ['acme/a', 'acme/b', 'acme-2/c']) await given.push(name)
    expect(await given.repositories.list({ owner: 'acme', after: 'acme/a', limit: 9 })).toMatchObject([
      { name: 'acme/b', visibility: 'private' },
    ])
    const name = parseRepositoryName('acme/b')
    expect(await given.repositories.setVisibility(name, 'public', tester)).toBe('private')
    await given.repositories.delete(name, tester)
    expect(await findRepository(given.metadata.reader, name)).toBeUndefined()
    await expect(given.repositories.delete(name, tester)).rejects.toMatchObject({
      name: 'RepositoryUnknownError',
    })
  })
})

describe('members and teams', () => {
  const dev = { organization: 'acme', team: 'dev' }

  test('get a role when they are added, and lose all rights when they leave', async () => {
    await using given = await open()
    const { members, teams, grants } = given
    await given.owners.createOrganization(acme, tester)
    await given.addUser('alice')
    const alice = { organization: 'acme', user: 'alice' }
    expect(await members.add({ ...alice, role: 'writer' }, tester)).toBe(true)
    expect(await members.add(alice, tester)).toBe(false)
    await teams.create(dev, tester)
    expect(await teams.addMember(dev, 'alice', tester)).toBe(true)
    expect(await grants.list({ owner: 'acme', limit: 9 })).toMatchObject([{ pattern: '**', role: 'writer' }])
    expect(await members.list('acme', { limit: 9 })).toMatchObject([{ name: 'alice' }])
    expect(await teams.listMembers(dev, { limit: 9 })).toMatchObject([{ name: 'alice' }])
    await members.remove(alice, tester)
    expect(await grants.list({ owner: 'acme', limit: 9 })).toEqual([])
    expect(await teams.listMembers(dev, { limit: 9 })).toEqual([])
    await teams.delete(dev, tester)
    expect((await given.actions()).slice(2)).toEqual([
      'member.add owner:acme',
      'grant.create owner:acme',
      'team.create team:acme/dev',
      'team.add team:acme/dev',
      'member.remove owner:acme',
      'team.delete team:acme/dev',
    ])
  })

  test('are not added without the requested role', async () => {
    await using given = await open()
    await given.owners.createOrganization(acme, tester)
    await given.addUser('alice')
    const added = given.members.add({ organization: 'acme', user: 'alice', role: 'boss' }, tester)
    await expect(added).rejects.toMatchObject({ name: 'RoleUnknownError' })
    expect(await given.members.list('acme', { limit: 9 })).toEqual([])
  })

  test('refuse missing users and roles', async () => {
    await using given = await open()
    const { members, teams } = given
    await given.addUser('alice')
    await given.owners.createOrganization(acme, tester)
    await teams.create(dev, tester)
    for (const [refusal, attempt] of [
      ['OrganizationUnknownError', () => members.add({ organization: 'alice', user: 'alice' }, tester)],
      ['AccountUnknownError', () => members.add({ organization: 'acme', user: 'nobody' }, tester)],
      ['MemberUnknownError', () => members.remove({ organization: 'acme', user: 'alice' }, tester)],
      ['MemberUnknownError', () => teams.addMember(dev, 'alice', tester)],
      ['MemberUnknownError', () => teams.removeMember(dev, 'alice', tester)],
      ['TeamUnknownError', () => teams.delete({ ...dev, team: 'ops' }, tester)],
      ['NameTakenError', () => teams.create(dev, tester)],
      ['NameRefusedError', () => teams.create({ ...dev, team: 'a/b' }, tester)],
      ['OrganizationUnknownError', () => teams.list('nobody', { limit: 1 })],
    ] as const) {
      await expect(attempt()).rejects.toMatchObject({ name: refusal })
    }
  })
})
