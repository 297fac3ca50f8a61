/** Tests that one bad entry in a queue of background work does not block the others. */
import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { caller, openRegistry, type OpenRegistry } from '../../test/support/parts/open-registry.ts'
import { FailingBlobStore, type FaultPlan } from '../blob-store/contract/failing-blob-store.ts'
import { putBlob } from '../blob-store/contract/support.ts'
import { insertBlob } from '../metadata/content/blobs.ts'
import { insertDeadKey } from '../metadata/content/dead-keys.ts'
import { listDeadKeys } from '../metadata/contract/list-dead-keys.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { kyselyOf } from '../metadata/sql/database.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import { collectBlobs } from './collect-blobs.ts'
import { expireUploads } from './expire-uploads.ts'
import { removeDeadKeys } from './remove-dead-keys.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const hourLives = { withBytesMs: hourMs, emptyMs: hourMs }

async function killBlobs(open: OpenRegistry, count: number): Promise<string[]> {
  const keys: string[] = []
  for (let index = 0; index < count; index++) {
    const { key, digest } = await putBlob(open.store, randomBytes(20))
    await open.metadata.transact((tx) => insertDeadKey(tx, { storageKey: key, digest, since: index }))
    keys.push(key)
  }
  return keys
}

const stuckOn =
  (keys: readonly (string | undefined)[]): FaultPlan =>
  ({ operation, key }) =>
    operation === 'delete' && keys.includes(key) ? { kind: 'fail', error: new Error('stuck') } : undefined

const deadKeys = async ({ metadata }: OpenRegistry) =>
  (await listDeadKeys(metadata.reader, { limit: 100 })).map(({ storageKey }) => storageKey)
const storedKeys = async ({ store }: OpenRegistry) =>
  (await Array.fromAsync(store.list())).map(({ key }) => key)
const errors = ({ logged }: OpenRegistry) => logged.filter(({ level }) => level === 'error')

describe('the removal of dead keys', () => {
  test('passes over a key that cannot be deleted, logs it once, and comes back later and later', async () => {
    await using open = await openRegistry()
    const keys = await killBlobs(open, 5)
    let attempts = 0
    const store = new FailingBlobStore(open.store, (call) => {
      const fault = stuckOn([keys[0]])(call)
      if (fault !== undefined) attempts += 1
      return fault
    })
    expect(await removeDeadKeys({ ...open, store }, signal)).toBe(4)
    expect(await deadKeys(open)).toEqual([keys[0]])
    expect(errors(open)).toMatchObject([{ count: 1, keys: [keys[0]] }])
    for (let minute = 0; minute < 240; minute++) {
      open.clock.advance(minuteMs)
      await removeDeadKeys({ ...open, store }, signal)
    }
    // At once, then after 1, 2, 4, 8, 16 and 32 minutes, then every hour.
    expect(attempts).toBe(1 + 6 + 2)
    expect(errors(open)).toHaveLength(1)
    open.clock.advance(hourMs)
    expect(await removeDeadKeys(open, signal)).toBe(1)
    expect(await storedKeys(open)).toEqual([])
  })

  test('leaves the rest of the queue for the next run when nothing can be deleted', async () => {
    await using open = await openRegistry()
    let attempts = 0
    const store = new FailingBlobStore(open.store, ({ operation }) => {
      if (operation !== 'delete') return undefined
      attempts += 1
      return { kind: 'fail', error: new Error('the disk is gone') }
    })
    await open.metadata.transact(async (tx) => {
      for (let index = 0; index < 1_500; index++)
        await insertDeadKey(tx, { storageKey: `key-${index}`, digest: undefined, since: index })
    })
    expect(await removeDeadKeys({ ...open, store }, signal)).toBe(0)
    expect(attempts).toBe(1_000)
    expect(errors(open)).toMatchObject([{ count: 1_000, keys: { length: 10 } }])
  })

  test('waits until a key is durable before removing its bytes, also for a key that arrives in the meantime', async () => {
    await using open = await openRegistry()
    const [first = ''] = await killBlobs(open, 1)
    const second = await putBlob(open.store, 'comes meanwhile')
    const isDurable = new Set<string>()
    const metadata: Metadata = Object.create(open.metadata, {
      flush: {
        value: async () => {
          const before = await deadKeys(open)
          await open.metadata.flush()
          for (const key of before) isDurable.add(key)
          if (before.includes(second.key)) return
          const late = { storageKey: second.key, digest: second.digest, since: 1 }
          await open.metadata.transact((tx) => insertDeadKey(tx, late), { durable: false })
        },
      },
      transact: { value: open.metadata.transact.bind(open.metadata) },
    }) as Metadata
    const deleted: { key: string; isDurable: boolean }[] = []
    const store = new FailingBlobStore(open.store, ({ operation, key }) => {
      if (operation === 'delete' && key !== undefined) deleted.push({ key, isDurable: isDurable.has(key) })
      return undefined
    })
    await removeDeadKeys({ ...open, metadata, store }, signal)
    expect(deleted).toEqual([
      { key: first, isDurable: true },
      { key: second.key, isDurable: true },
    ])
  })

  test('never deletes bytes that a blob of the database names, and reports it', async () => {
    await using open = await openRegistry()
    const { key, digest } = await putBlob(open.store, 'in use')
    await open.metadata.transact(async (tx) => {
      await insertBlob(tx, { digest, storageKey: key, size: 6, createdAt: 1 })
      await insertDeadKey(tx, { storageKey: key, digest, since: 1 })
    })
    expect(await removeDeadKeys(open, signal)).toBe(0)
    expect(await storedKeys(open)).toEqual([key])
    expect(errors(open)).toMatchObject([
      { keys: [key], err: { message: 'a blob or an upload in the database uses this key' } },
    ])
  })
})

describe('the expiry of upload sessions', () => {
  test('is not held up by a row that cannot be read', async () => {
    await using open = await openRegistry()
    const { uploads } = open.registry
    const [bad, good] = [
      await uploads.start({ repository, caller }),
      await uploads.start({ repository, caller }),
    ]
    await open.metadata.transact((tx) =>
      sql`update upload set segments = 'no JSON', touched_at = 1 where id = ${bad.id}`.execute(kyselyOf(tx)),
    )
    open.clock.advance(hourMs + 1)
    expect(await expireUploads(open, hourLives, signal)).toBe(2)
    await expect(uploads.status({ repository, id: good.id, caller })).rejects.toMatchObject({
      code: 'BLOB_UPLOAD_UNKNOWN',
    })
  })

  test('ends a bounded number of sessions in one run', async () => {
    await using open = await openRegistry()
    await open.metadata.transact((tx) =>
      sql`insert into upload (id, repository, principal, storage_key, generation, segments, byte_offset, created_at, touched_at)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < 2500)
        select 'id-' || i, 'acme/web', 'anonymous', 'key-' || i, 0, '[]', 0, 1, 1 from n`.execute(
        kyselyOf(tx),
      ),
    )
    expect(await expireUploads(open, hourLives, signal)).toBe(2_000)
    expect(await expireUploads(open, hourLives, signal)).toBe(500)
  })
})

describe('the collection of blobs', () => {
  test('passes over a blob that cannot be removed', async () => {
    await using open = await openRegistry()
    const digests: string[] = []
    for (let index = 0; index < 3; index++) {
      const bytes = randomBytes(50)
      const { key, digest } = await putBlob(open.store, bytes)
      await open.metadata.transact((tx) =>
        insertBlob(tx, { digest, storageKey: key, size: 50, createdAt: index }),
      )
      digests.push(digest)
    }
    // A reference that this version does not know uses the first key.
    await open.metadata.transact(async (tx) => {
      const kysely = kyselyOf(tx)
      await sql`create table holder (digest text references blob (digest))`.execute(kysely)
      await sql`insert into holder values (${digests[0]})`.execute(kysely)
    })
    expect(await collectBlobs(open, hourMs, signal)).toBe(2)
    expect(errors(open)).toMatchObject([{ count: 1, digests: [digests[0]] }])
    expect(await deadKeys(open)).toHaveLength(2)
  })
})
