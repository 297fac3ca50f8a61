import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { expect, test } from 'vitest'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import { findAccount, insertRobot } from '../../identity/accounts.ts'
import { deleteOwner } from '../../deletion/owner-deletion.ts'
import {
  OwnerNameTaken,
  OwnerRenamed,
  OwnerUnknown,
  RepositoryNameTooLong,
} from '../../owners/owner-errors.ts'
import { renameOwner } from '../../owners/owner-rename.ts'
import { findOwner, findOwnerByFormerName, listFormerNames } from '../../owners/owners.ts'
import { ensureRepository, findRepository } from '../../repositories/repositories.ts'
import { getRightsVersion } from '../../system/rights-version.ts'
import { kyselyOf } from '../../sql/database.ts'
import { findUpload, insertUpload } from '../../content/uploads.ts'
import { anUpload, createRepository, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'
import { createOrganization, createUser } from './owners-contract.ts'
import { countTurns } from '../wrapped-metadata.ts'

export function testRenames({ metadata }: ContractSubject): void {
  const rename = (name: string, newName: string) =>
    metadata().transact((tx) => renameOwner(tx, { name, newName, now: 9 }))
  const push = (name: RepositoryName) =>
    metadata().transact((tx) => ensureRepository(tx, { name, visibility: 'private', now: 1 }))
  const nameIn = (owner: string, image = 'app') => `${owner}/${image}` as RepositoryName

  test('renames repositories, upload sessions and robots too', async () => {
    const [old, now] = [unique('old'), unique('new')]
    const ownerId = await createOrganization(metadata(), old)
    const repository = await createRepository(metadata(), { name: nameIn(old, 'web/app') })
    const neighbour = await createRepository(metadata(), { name: nameIn(`${old}-2`) })
    const upload = anUpload({ repository: nameIn(old, 'web/app') })
    await metadata().transact((tx) => insertUpload(tx, upload))
    const robotId = await metadata().transact((tx) => insertRobot(tx, { name: `${old}+ci`, ownerId, now: 1 }))
    const version = await getRightsVersion(metadata().reader)
    expect(await rename(old, now)).toEqual({ ownerId, kind: 'organization', repositories: 1, robots: 1 })
    const { reader } = metadata()
    expect(await getRightsVersion(reader)).not.toBe(version)
    expect(await findOwner(reader, old)).toBeUndefined()
    expect(await findOwner(reader, now)).toMatchObject({ id: ownerId, createdAt: 5 })
    expect(await findRepository(reader, nameIn(old, 'web/app'))).toBeUndefined()
    expect(await findRepository(reader, nameIn(now, 'web/app'))).toMatchObject({ id: repository.id })
    expect(await findRepository(reader, nameIn(`${old}-2`))).toMatchObject({ id: neighbour.id })
    expect(await findUpload(reader, upload.id)).toMatchObject({ repository: nameIn(now, 'web/app') })
    expect(await findAccount(reader, `${now}+ci`)).toMatchObject({ id: robotId })
  })

  test('gives a user and its account the new name', async () => {
    const [old, now] = [unique('old'), unique('new')]
    const id = await createUser(metadata(), old)
    await rename(old, now)
    expect(await findAccount(metadata().reader, old)).toBeUndefined()
    expect(await findAccount(metadata().reader, now)).toMatchObject({ id, credentialVersion: 1 })
  })

  test('rewrites the patterns of access tokens of any account', async () => {
    const [old, now] = [unique('old'), unique('new')]
    await createOrganization(metadata(), old)
    const accountId = await createUser(metadata())
    const patterns = [`${old}/**`, `${old}-2/**`, `other/${old}/x`, '*/app']
    const name = unique('token')
    await metadata().transact(async (tx) => {
      const row = {
        account_id: accountId,
        name,
        token_hash: name,
        hint: 'x',
        patterns: JSON.stringify(patterns),
      }
      await kyselyOf(tx)
        .insertInto('access_token')
        .values({ ...row, created_at: 1, created_by: 'test' })
        .execute()
    })
    await rename(old, now)
    const token = await kyselyOf(metadata().reader)
      .selectFrom('access_token')
      .select('patterns')
      .where('account_id', '=', accountId)
      .executeTakeFirstOrThrow()
    expect(JSON.parse(token.patterns ?? '')).toEqual([`${now}/**`, ...patterns.slice(1)])
  })

  test('keeps the former name for pulls: no other owner can take it', async () => {
    const [old, now, other] = [unique('old'), unique('new'), unique('other')]
    await createOrganization(metadata(), old)
    await createOrganization(metadata(), other)
    await rename(old, now)
    expect(await findOwnerByFormerName(metadata().reader, old)).toBe(now)
    expect(await findOwnerByFormerName(metadata().reader, now)).toBeUndefined()
    for (const taking of [
      () => createOrganization(metadata(), old),
      () => createUser(metadata(), old),
      () => push(nameIn(old)),
      () => rename(other, old),
    ]) {
      await expect(taking()).rejects.toMatchObject({ name: 'OwnerRenamed', formerName: old, newName: now })
    }
    expect(await findOwner(metadata().reader, old)).toBeUndefined()
    await expect(push(nameIn(old))).rejects.toBeInstanceOf(OwnerRenamed)
  })

  test('keeps every name of a chain, and gives one back to its owner', async () => {
    const [a, b, c] = [unique('a'), unique('b'), unique('c')]
    const id = await createOrganization(metadata(), a)
    await push(nameIn(a))
    await rename(a, b)
    await rename(b, c)
    const { reader } = metadata()
    expect(await listFormerNames(reader, id)).toEqual([a, b])
    expect(await findOwnerByFormerName(reader, a)).toBe(c)
    await rename(c, a)
    expect(await listFormerNames(reader, id)).toEqual([b, c])
    expect(await findRepository(reader, nameIn(a))).toBeDefined()
    await metadata().transact(async (tx) => {
      const { id: repositoryId } = (await findRepository(tx, nameIn(a))) ?? { id: 0 }
      await kyselyOf(tx).deleteFrom('repository').where('id', '=', repositoryId).execute()
    })
    await metadata().transact((tx) => deleteOwner(tx, a))
    expect(await createOrganization(metadata(), b)).toBeGreaterThan(id)
  })

  test('refuses names that are taken, unknown or too long, and changes nothing', async () => {
    const [old, taken] = [unique('old'), unique('taken')]
    await createOrganization(metadata(), old)
    await createOrganization(metadata(), taken)
    await expect(rename(old, taken)).rejects.toBeInstanceOf(OwnerNameTaken)
    await expect(rename(old, old)).rejects.toBeInstanceOf(OwnerNameTaken)
    await expect(rename(unique('nobody'), unique('new'))).rejects.toBeInstanceOf(OwnerUnknown)
    const longest = nameIn(old, 'x'.repeat(254 - old.length))
    await push(longest)
    const longer = `${unique('new')}${'y'.repeat(old.length)}`
    const refused = rename(old, longer)
    await expect(refused).rejects.toBeInstanceOf(RepositoryNameTooLong)
    await expect(refused).rejects.toThrow(longest)
    expect(await findRepository(metadata().reader, longest)).toBeDefined()
    expect(await findOwner(metadata().reader, longer)).toBeUndefined()
  })

  test('loses no repository that is pushed while it runs', async () => {
    const names = [unique('race'), unique('race')] as const
    const id = await createOrganization(metadata(), names[0])
    const made = new Set<number>()
    const pushes = numbers(20).map(async (index) => {
      for (const name of names) {
        try {
          made.add((await push(nameIn(name, `app-${index}`))).id)
        } catch (error) {
          // A push under the former name is refused after the rename; one under the new name may be refused before it.
          if (!(error instanceof OwnerRenamed)) throw error
        }
      }
    })
    const renamed = rename(...names).catch((error: unknown) => {
      if (!(error instanceof OwnerNameTaken)) throw error
    })
    await Promise.all([...pushes, renamed])
    const rows = await kyselyOf(metadata().reader)
      .selectFrom('repository')
      .innerJoin('owner', 'owner.id', 'repository.owner_id')
      .select(['repository.id', 'repository.name', 'owner.name as owner'])
      .where('owner.name', 'in', [...names])
      .execute()
    expect(new Set(rows.map((row) => row.id))).toEqual(made)
    for (const row of rows) expect(row.name.startsWith(`${row.owner}/`)).toBe(true)
    expect((await findOwner(metadata().reader, names[1]))?.id).toBeGreaterThanOrEqual(id)
  })

  test('gives others turns while thousands of repositories and tokens are renamed', async ({ skip }) => {
    skip(metadata().dialect !== 'sqlite', 'PostgreSQL answers from another process')
    const [name, newName] = [unique('org'), unique('org')]
    await createOrganization(metadata(), name)
    const accountId = await createUser(metadata())
    await metadata().transact(async (tx) => {
      const numbered = sql`with recursive number (n) as (select 1 union all select n + 1 from number where n < 2000)`
      const owner = sql`(select id from owner where name = ${name})`
      await sql`${numbered} insert into repository (owner_id, name, visibility, created_at)
        select ${owner}, ${name} || '/r' || n, 'private', 1 from number`.execute(kyselyOf(tx))
      await sql`${numbered} insert into upload
          (id, repository, principal, storage_key, generation, segments, byte_offset, created_at, touched_at)
        select ${name} || n, ${name} || '/r' || (n % 3), 'user:1', ${name} || n, 0, '[]', 0, 1, 1 from number`.execute(
        kyselyOf(tx),
      )
      await sql`${numbered} insert into access_token
          (account_id, name, token_hash, hint, patterns, created_at, created_by)
        select ${accountId}, 't' || n, ${name} || n, 'x', '["' || ${name} || '/web"]', 1, 'x' from number`.execute(
        kyselyOf(tx),
      )
    })
    const turns = await countTurns(metadata(), (tx) => renameOwner(tx, { name, newName, now: 9 }))
    // 128 rows a turn, of repositories and of tokens; the uploads of a repository are renamed together.
    expect(turns).toBeGreaterThan(15 + 2 + 15)
    const count = async (condition: RawBuilder<unknown>): Promise<number> => {
      const query = sql<{ count: number }>`select count(*) as count from ${condition}`
      const { rows } = await query.execute(kyselyOf(metadata().reader))
      return rows[0]?.count ?? 0
    }
    const below = (owner: string) => sql`between ${`${owner}/`} and ${`${owner}0`}`
    for (const [owner, expected] of [
      [newName, 2000],
      [name, 0],
    ] as const) {
      expect(await count(sql`repository where name ${below(owner)}`)).toBe(expected)
      expect(await count(sql`upload where repository ${below(owner)}`)).toBe(expected)
      const patterns = `["${owner}/web"]`
      const ofAccount = sql`access_token where account_id = ${accountId} and patterns = ${patterns}`
      expect(await count(ofAccount)).toBe(expected)
    }
  })
}
