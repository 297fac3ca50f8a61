/** The contract on a real PostgreSQL, `node scripts/postgres.ts -- npx vitest run --project contract-postgres`. */
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { insertAccount } from '../identity/accounts.ts'
import {
  findBlob,
  findLinkedBlob,
  linkBlob,
  pinBlob,
  pinLinkedBlobs,
  removeUnlinkedBlob,
  unlinkBlob,
} from '../content/blobs.ts'
import { createPostgresDatabase, runStatements } from '../../../test/support/parts/postgres-database.ts'
import type { PostgresDatabase } from '../../../test/support/parts/postgres-database.ts'
import { openPostgresMetadata } from '../dialects/postgres/postgres.ts'
import { Conflict, MetadataUnavailable } from '../errors.ts'
import type { Transaction } from '../handles.ts'
import { acquireLease } from '../system/leases.ts'
import { insertManifest } from '../content/manifests.ts'
import type { Metadata } from '../metadata.ts'
import { renameOwner } from '../owners/owner-rename.ts'
import { findOwner, insertOrganization } from '../owners/owners.ts'
import { ensureRepository, findRepository } from '../repositories/repositories.ts'
import {
  aManifest,
  aName,
  createLinkedBlob,
  createRepository,
  insertAnyBlob,
  numbers,
  unique,
} from './builders.ts'
import { describeMetadataContract } from './system/metadata-contract.ts'

/** Its own database: other suites on the server write rows that this one counts. */
let database: PostgresDatabase

beforeAll(async () => {
  database = await createPostgresDatabase()
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

function open(url = database.url): Promise<Metadata> {
  return openPostgresMetadata({ url, clock: systemClock })
}

/** Runs work up to a point, runs `meanwhile` in other transactions, and then ends the work. */
async function during<T>(
  metadata: Metadata,
  work: (tx: Transaction) => Promise<unknown>,
  meanwhile: () => Promise<T>,
): Promise<T> {
  let result: T | undefined
  await metadata.transact(async (tx) => {
    await work(tx)
    result = await meanwhile()
  })
  return result as T
}

describeMetadataContract('metadata in PostgreSQL', () => open())

describe('metadata in PostgreSQL, transactions that overlap', () => {
  test('does not collect a blob that a push has pinned', async () => {
    await using metadata = await open()
    const digest = await metadata.transact((tx) => insertAnyBlob(tx))
    const removed = await during(
      metadata,
      (tx) => pinBlob(tx, digest),
      () => metadata.transact((tx) => removeUnlinkedBlob(tx, { digest, now: 1 })),
    )
    expect(removed).toBeUndefined()
    expect(await findBlob(metadata.reader, digest)).toBeDefined()
  })

  test('lets several pushes pin one blob at the same time', async () => {
    await using metadata = await open()
    const repository = await createRepository(metadata)
    const digest = await createLinkedBlob(metadata, repository)
    const pin = { repositoryId: repository.id, digests: [digest], now: 1 }
    const pinned = await during(
      metadata,
      (tx) => pinLinkedBlobs(tx, pin),
      () => metadata.transact((tx) => pinLinkedBlobs(tx, pin)),
    )
    expect(pinned.has(digest)).toBe(true)
  })

  test('does not link a blob that the collector is removing', async () => {
    await using metadata = await open()
    const repository = await createRepository(metadata)
    const digest = await metadata.transact((tx) => insertAnyBlob(tx))
    const started = Promise.withResolvers<void>()
    const linking = await during(
      metadata,
      (tx) => removeUnlinkedBlob(tx, { digest, now: 1 }),
      async () => {
        const link = metadata.transact(async (tx) => {
          started.resolve()
          await linkBlob(tx, { repositoryId: repository.id, digest, now: 1 })
        })
        await started.promise
        return { link }
      },
    )
    await expect(linking.link).rejects.toBeInstanceOf(Conflict)
    expect(await findBlob(metadata.reader, digest)).toBeUndefined()
  })

  test('does not unlink a blob while a push that pinned it is running', async () => {
    await using metadata = await open()
    const repository = await createRepository(metadata)
    const digest = await createLinkedBlob(metadata, repository)
    const started = Promise.withResolvers<void>()
    const blobs = [{ digest, role: 'layer' as const, mediaType: 'a/b', size: 7 }]
    const unlinking = await during(
      metadata,
      async (tx) => {
        await pinLinkedBlobs(tx, { repositoryId: repository.id, digests: [digest], now: 1 })
        await insertManifest(tx, aManifest(repository, { blobs }))
      },
      async () => {
        const unlink = metadata.transact(async (tx) => {
          started.resolve()
          return unlinkBlob(tx, { repositoryId: repository.id, digest })
        })
        await started.promise
        return { unlink }
      },
    )
    await expect(unlinking.unlink).rejects.toBeInstanceOf(Conflict)
    expect(await findLinkedBlob(metadata.reader, repository.name, digest)).toBeDefined()
  })

  test('retries transactions that deadlock', async () => {
    await using metadata = await open()
    const names = [unique('lease'), unique('lease')]
    const lock = (order: readonly string[]) =>
      metadata.transact(async (tx) => {
        for (const name of order) await acquireLease(tx, { name, holder: 'all', now: 1, ttlMs: 1 })
      })
    await lock(names)
    await Promise.all(numbers(6).map((index) => lock(index % 2 === 0 ? names : names.toReversed())))
    const last = await metadata.transact((tx) =>
      acquireLease(tx, { name: names[0] ?? '', holder: 'all', now: 1, ttlMs: 1 }),
    )
    expect(last).toEqual({ generation: 8 })
  })
})

/** Starts work that waits for an open transaction, and returns its outcome. */
function begin(work: () => Promise<unknown>): Promise<{ readonly ended: Promise<unknown> }> {
  const ended = work()
  ended.catch(() => undefined)
  return Promise.resolve({ ended })
}

describe('metadata in PostgreSQL, renames beside pushes', () => {
  test('wait for a push below an existing owner, and rename its repository too', async () => {
    await using metadata = await open()
    const [name, newName] = [unique('old'), unique('new')]
    await createRepository(metadata, { name: `${name}/first` as RepositoryName })
    const repository = { name: `${name}/second` as RepositoryName, visibility: 'private', now: 1 } as const
    const { ended } = await during(
      metadata,
      (tx) => ensureRepository(tx, repository),
      () => begin(() => metadata.transact((tx) => renameOwner(tx, { name, newName, now: 1 }))),
    )
    expect(await ended).toMatchObject({ repositories: 2 })
    expect(await findRepository(metadata.reader, `${newName}/second` as RepositoryName)).toBeDefined()
  })

  test('give the former name to no waiting transaction', async () => {
    await using metadata = await open()
    const [name, newName] = [unique('old'), unique('new')]
    await createRepository(metadata, { name: `${name}/first` as RepositoryName })
    const second = `${name}/second` as RepositoryName
    const organization = { name, visibility: 'public', now: 1 } as const
    const waiting = await during(
      metadata,
      (tx) => renameOwner(tx, { name, newName, now: 1 }),
      async () => [
        await begin(() => createRepository(metadata, { name: second })),
        await begin(() => metadata.transact((tx) => insertOrganization(tx, organization))),
      ],
    )
    for (const { ended } of waiting) {
      await expect(ended).rejects.toMatchObject({ name: 'OwnerRenamed', formerName: name, newName })
    }
    expect(await findRepository(metadata.reader, second)).toBeUndefined()
    expect(await findOwner(metadata.reader, name)).toBeUndefined()
  })
})

test('B7: no user becomes the owner of an organization that is created at the same time', async () => {
  await using metadata = await open()
  const name = unique('acme')
  const account = { name, passwordHash: 'x', isAdmin: false, adopt: false, now: 1 } as const
  const { ended } = await during(
    metadata,
    (tx) => insertOrganization(tx, { name, visibility: 'private', now: 1 }),
    () => begin(() => metadata.transact((tx) => insertAccount(tx, account))),
  )
  await expect(ended).rejects.toMatchObject({ name: 'OwnerNameTaken' })
  expect(await findOwner(metadata.reader, name)).toMatchObject({ kind: 'organization' })
})

describe('metadata in PostgreSQL, opening', () => {
  test('lets several processes upgrade one new database', async () => {
    await using fresh = await createPostgresDatabase()
    const opened = await Promise.all(numbers(4).map(() => open(fresh.url)))
    const name = aName()
    await createRepository(opened[0]!, { name })
    expect(await findRepository(opened[3]!.reader, name)).toBeDefined()
    for (const metadata of opened) await metadata[Symbol.asyncDispose]()
  })

  test('throws MetadataUnavailable if no server listens', async () => {
    await expect(open('postgres://postgres@127.0.0.1:1/postgres')).rejects.toBeInstanceOf(MetadataUnavailable)
  })

  test('throws MetadataUnavailable when the server ends a connection, and reconnects', async () => {
    await using metadata = await open()
    await using other = await open()
    const name = aName()
    await createRepository(other, { name })
    const client = new Client({ connectionString: database.url })
    await client.connect()
    const ended = metadata.transact(async (tx) => {
      await findRepository(tx, name)
      await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'lading' and state = 'idle in transaction' and datname = current_database()`)
      await findRepository(tx, name)
    })
    await expect(ended).rejects.toBeInstanceOf(MetadataUnavailable)
    expect(await findRepository(metadata.reader, name)).toBeDefined()
    await client.end()
  })
})

test('a connection whose preparation fails leaves the pool', async () => {
  await using own = await createPostgresDatabase()
  await runStatements(own.url, 'create schema faulty')
  const url = new URL(own.url)
  url.searchParams.set('options', '-c search_path=faulty,pg_catalog,public')
  await using metadata = await openPostgresMetadata({
    url: url.href,
    clock: systemClock,
    maxConnections: 1,
    upgrade: false,
  })
  // Simulates a server that ends a connection between its start and the first query.
  await runStatements(
    own.url,
    `create function faulty.current_setting(text) returns text language plpgsql as $$ begin
      raise exception using errcode = '57P01'; end $$;
      select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`,
  )
  for (const _ of numbers(3)) await expect(metadata.ping()).rejects.toThrow(MetadataUnavailable)
  await runStatements(own.url, 'drop function faulty.current_setting(text)')
  await expect(metadata.ping()).resolves.toBeUndefined()
})
