import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import { insertAccount, insertRobot } from '../../identity/accounts.ts'
import { Conflict } from '../../errors.ts'
import type { Metadata } from '../../metadata.ts'
import { deleteMember, insertMember, isMember, listMembers } from '../../owners/members.ts'
import { deleteOwner } from '../../deletion/owner-deletion.ts'
import { OwnerNameTaken, OwnerNotEmpty, OwnerUnknown } from '../../owners/owner-errors.ts'
import { listOwners } from '../../owners/list-owners.ts'
import { findOwner, insertOrganization, setOwnerVisibility } from '../../owners/owners.ts'
import { findRepository } from '../../repositories/repositories.ts'
import { getRightsVersion } from '../../system/rights-version.ts'
import { kyselyOf } from '../../sql/database.ts'
import {
  deleteTeam,
  deleteTeamMember,
  findTeam,
  insertTeam,
  insertTeamMember,
  listTeamMembers,
  listTeams,
} from '../../owners/teams.ts'
import { createRepository, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'
import { countTurns } from '../wrapped-metadata.ts'

export function createOrganization(metadata: Metadata, name = unique('org')): Promise<number> {
  return metadata.transact((tx) => insertOrganization(tx, { name, visibility: 'public', now: 5 }))
}

export function createUser(metadata: Metadata, name = unique('user')): Promise<number> {
  return metadata.transact((tx) => insertAccount(tx, { name, passwordHash: 'hash', isAdmin: false, now: 7 }))
}

/** Whether `work` changes the version of the rights. */
async function raises(metadata: Metadata, work: () => Promise<unknown>): Promise<boolean> {
  const before = await getRightsVersion(metadata.reader)
  await work()
  return (await getRightsVersion(metadata.reader)) !== before
}

/** Grants the role `reader` on everything of the owner to an account or a team. */
async function grantTo(
  metadata: Metadata,
  grant: { ownerId: number; kind: 'account' | 'team'; id: number },
): Promise<void> {
  await metadata.transact(async (tx) => {
    const kysely = kyselyOf(tx)
    const role = await kysely
      .selectFrom('role')
      .select('id')
      .where('name', '=', 'reader')
      .executeTakeFirstOrThrow()
    const row = {
      owner_id: grant.ownerId,
      pattern: '**',
      role_id: role.id,
      created_at: 1,
      created_by: 'test',
    }
    await kysely
      .insertInto('access_grant')
      .values({ ...row, principal_kind: grant.kind, principal_id: grant.id })
      .execute()
  })
}

async function countGrants(metadata: Metadata, kind: 'account' | 'team', id: number): Promise<number> {
  const rows = await kyselyOf(metadata.reader)
    .selectFrom('access_grant')
    .select('id')
    .where('principal_kind', '=', kind)
    .where('principal_id', '=', id)
    .execute()
  return rows.length
}

export function testOwners({ metadata }: ContractSubject): void {
  test('keeps an organization as it was created, and lists it', async () => {
    const name = unique('org')
    const id = await createOrganization(metadata(), name)
    const { reader } = metadata()
    const owner = { id, name, kind: 'organization', visibility: 'public', createdAt: 5 }
    expect(await findOwner(reader, name)).toEqual(owner)
    const after = name.slice(0, -1)
    expect(await listOwners(reader, { after, limit: 1 })).toEqual([owner])
    expect(await listOwners(reader, { after, limit: 1, kind: 'organization' })).toEqual([owner])
    expect(await listOwners(reader, { after, limit: 1, kind: 'user' })).not.toContainEqual(owner)
    await expect(createOrganization(metadata(), name)).rejects.toBeInstanceOf(OwnerNameTaken)
  })

  test('changes the visibility of everything below', async () => {
    const name = unique('org')
    await createOrganization(metadata(), name)
    const change = { name, visibility: 'private' as const }
    const changed = await raises(metadata(), async () => {
      expect(await metadata().transact((tx) => setOwnerVisibility(tx, change))).toBe('public')
    })
    expect(changed).toBe(true)
    expect(await findOwner(metadata().reader, name)).toMatchObject({ visibility: 'private' })
    const unknown = { ...change, name: unique('org') }
    expect(await metadata().transact((tx) => setOwnerVisibility(tx, unknown))).toBeUndefined()
  })

  test('refuses to delete an owner that has repositories or does not exist', async () => {
    const name = unique('org')
    const repository = `${name}/app` as RepositoryName
    await createRepository(metadata(), { name: repository })
    const refused = metadata().transact((tx) => deleteOwner(tx, name))
    await expect(refused).rejects.toThrow(repository)
    await expect(refused).rejects.toBeInstanceOf(OwnerNotEmpty)
    expect(await findRepository(metadata().reader, repository)).toBeDefined()
    const unknown = metadata().transact((tx) => deleteOwner(tx, unique('org')))
    await expect(unknown).rejects.toBeInstanceOf(OwnerUnknown)
  })

  test('deletes an organization with its teams, members, grants and robots, and frees its name', async () => {
    const name = unique('org')
    const ownerId = await createOrganization(metadata(), name)
    const accountId = await createUser(metadata())
    const robotId = await metadata().transact((tx) =>
      insertRobot(tx, { name: `${name}+ci`, ownerId, now: 1 }),
    )
    const teamId = await metadata().transact((tx) => insertTeam(tx, { ownerId, name: 'dev', now: 1 }))
    await metadata().transact((tx) => insertMember(tx, { ownerId, accountId, now: 1 }))
    await metadata().transact((tx) => insertTeamMember(tx, { teamId, accountId, now: 1 }))
    const elsewhere = await createOrganization(metadata())
    await grantTo(metadata(), { ownerId, kind: 'account', id: accountId })
    await grantTo(metadata(), { ownerId: elsewhere, kind: 'account', id: robotId })
    await grantTo(metadata(), { ownerId: elsewhere, kind: 'team', id: teamId })
    const changed = await raises(metadata(), () => metadata().transact((tx) => deleteOwner(tx, name)))
    expect(changed).toBe(true)
    expect(await findOwner(metadata().reader, name)).toBeUndefined()
    expect(await countGrants(metadata(), 'account', robotId)).toBe(0)
    expect(await countGrants(metadata(), 'team', teamId)).toBe(0)
    expect(await createOrganization(metadata(), name)).not.toBe(ownerId)
  })

  test('gives others turns while thousands of grants, members and tokens are removed', async ({ skip }) => {
    skip(metadata().dialect !== 'sqlite', 'PostgreSQL answers from another process')
    const name = unique('user')
    const accountId = await createUser(metadata(), name)
    await metadata().transact(async (tx) => {
      const numbered = sql`with recursive number (n) as (select 1 union all select n + 1 from number where n < 1000)`
      const owner = sql`(select id from owner where name = ${name})`
      await sql`${numbered} insert into access_grant
          (owner_id, pattern, role_id, principal_kind, principal_id, created_at, created_by)
        select ${owner}, 'p' || n, 1, 'account', ${accountId}, 1, 'x' from number`.execute(kyselyOf(tx))
      await sql`${numbered} insert into refresh_token
          (token_hash, account_id, credential_version, created_at, used_at)
        select ${name} || n, ${accountId}, 1, 1, 1 from number`.execute(kyselyOf(tx))
    })
    expect(await countTurns(metadata(), (tx) => deleteOwner(tx, name))).toBeGreaterThan(10)
    expect(await findOwner(metadata().reader, name)).toBeUndefined()
  })

  test('deletes a user with its account and its places', async () => {
    const name = unique('user')
    const accountId = await createUser(metadata(), name)
    const ownerId = await createOrganization(metadata())
    await metadata().transact((tx) => insertMember(tx, { ownerId, accountId, now: 1 }))
    await grantTo(metadata(), { ownerId, kind: 'account', id: accountId })
    expect(await metadata().transact((tx) => deleteOwner(tx, name))).toMatchObject({ kind: 'user' })
    expect(await listMembers(metadata().reader, { ownerId, limit: 9 })).toEqual([])
    expect(await createUser(metadata(), name)).not.toBe(accountId)
  })
}

export function testMembers({ metadata }: ContractSubject): void {
  test('has members', async () => {
    const ownerId = await createOrganization(metadata())
    const names = [unique('c'), unique('b'), unique('a')]
    for (const name of names) {
      const accountId = await createUser(metadata(), name)
      const member = { ownerId, accountId, now: 3 }
      expect(await metadata().transact((tx) => insertMember(tx, member))).toBe(true)
      expect(await metadata().transact((tx) => insertMember(tx, member))).toBe(false)
      expect(await metadata().transact((tx) => isMember(tx, member))).toBe(true)
    }
    const { reader } = metadata()
    const listed = await listMembers(reader, { ownerId, limit: 2 })
    expect(listed.map(({ name }) => name)).toEqual(names.slice(0, 2))
    const after = listed.at(-1)?.accountId
    expect(await listMembers(reader, { ownerId, after, limit: 2 })).toMatchObject([
      { name: names[2], since: 3 },
    ])
  })

  test('removes grants and team places of a removed member, and nothing elsewhere', async () => {
    const ownerId = await createOrganization(metadata())
    const otherId = await createOrganization(metadata())
    const accountId = await createUser(metadata())
    const teamId = await metadata().transact((tx) => insertTeam(tx, { ownerId, name: 'dev', now: 1 }))
    for (const id of [ownerId, otherId]) {
      await metadata().transact((tx) => insertMember(tx, { ownerId: id, accountId, now: 1 }))
      await grantTo(metadata(), { ownerId: id, kind: 'account', id: accountId })
    }
    await metadata().transact((tx) => insertTeamMember(tx, { teamId, accountId, now: 1 }))
    const remove = () => metadata().transact((tx) => deleteMember(tx, { ownerId, accountId }))
    expect(await raises(metadata(), remove)).toBe(true)
    expect(await listTeamMembers(metadata().reader, { teamId, limit: 9 })).toEqual([])
    expect(await countGrants(metadata(), 'account', accountId)).toBe(1)
    expect(await listMembers(metadata().reader, { ownerId: otherId, limit: 9 })).toHaveLength(1)
    expect(await remove()).toBe(false)
  })

  test('has teams, by name, each with members', async () => {
    const ownerId = await createOrganization(metadata())
    const accountId = await createUser(metadata())
    const insert = (name: string) => metadata().transact((tx) => insertTeam(tx, { ownerId, name, now: 2 }))
    const ops = await insert('ops')
    const dev = await insert('dev')
    await expect(insert('dev')).rejects.toBeInstanceOf(Conflict)
    const { reader } = metadata()
    expect(await listTeams(reader, { ownerId, limit: 9 })).toEqual([
      { id: dev, name: 'dev', createdAt: 2 },
      { id: ops, name: 'ops', createdAt: 2 },
    ])
    expect(await listTeams(reader, { ownerId, after: 'dev', limit: 9 })).toMatchObject([{ id: ops }])
    const place = { teamId: dev, accountId, now: 4 }
    expect(await metadata().transact((tx) => insertTeamMember(tx, place))).toBe(true)
    expect(await metadata().transact((tx) => insertTeamMember(tx, place))).toBe(false)
    expect(await listTeamMembers(reader, { teamId: dev, limit: 9 })).toMatchObject([{ accountId, since: 4 }])
    expect(await metadata().transact((tx) => deleteTeamMember(tx, place))).toBe(true)
    expect(await metadata().transact((tx) => deleteTeamMember(tx, place))).toBe(false)
  })

  test('gives others turns while thousands of grants and places of a member or a team are removed', async ({
    skip,
  }) => {
    skip(metadata().dialect !== 'sqlite', 'PostgreSQL answers from another process')
    const ownerId = await createOrganization(metadata())
    const accountId = await createUser(metadata())
    const teamId = await metadata().transact((tx) => insertTeam(tx, { ownerId, name: 'dev', now: 2 }))
    const insertGrants = (kind: 'account' | 'team', id: number) =>
      metadata().transact(async (tx) => {
        const numbered = sql`with recursive number (n) as (select 1 union all select n + 1 from number where n < 1000)`
        await sql`${numbered} insert into access_grant
            (owner_id, pattern, role_id, principal_kind, principal_id, created_at, created_by)
          select ${ownerId}, 'p' || n, 1, ${kind}, ${id}, 1, 'x' from number`.execute(kyselyOf(tx))
      })
    await metadata().transact((tx) => insertMember(tx, { ownerId, accountId, now: 1 }))
    await insertGrants('account', accountId)
    await insertGrants('team', teamId)
    expect(await countTurns(metadata(), (tx) => deleteMember(tx, { ownerId, accountId }))).toBeGreaterThan(5)
    expect(await countTurns(metadata(), (tx) => deleteTeam(tx, teamId))).toBeGreaterThan(5)
    expect(await countGrants(metadata(), 'account', accountId)).toBe(0)
    expect(await countGrants(metadata(), 'team', teamId)).toBe(0)
  })

  test('removes the grants of a team with it', async () => {
    const ownerId = await createOrganization(metadata())
    const teamId = await metadata().transact((tx) => insertTeam(tx, { ownerId, name: 'dev', now: 2 }))
    await grantTo(metadata(), { ownerId, kind: 'team', id: teamId })
    const remove = () => metadata().transact((tx) => deleteTeam(tx, teamId))
    expect(await raises(metadata(), remove)).toBe(true)
    expect(await findTeam(metadata().reader, { ownerId, name: 'dev' })).toBeUndefined()
    expect(await countGrants(metadata(), 'team', teamId)).toBe(0)
  })
}
