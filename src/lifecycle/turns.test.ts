/** Tests that other requests run during each transaction of background work. */
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openRegistry, type OpenRegistry } from '../../test/support/parts/open-registry.ts'
import { kyselyOf } from '../metadata/sql/database.ts'
import { collectBlobs } from './collect-blobs.ts'
import { expireUploads } from './expire-uploads.ts'
import { removeDeadKeys } from './remove-dead-keys.ts'
import { TurnCounter } from '../../test/support/turn-counter.ts'

const { signal } = new AbortController()
/** At least one batch for each job. */
const rows = 200

const numbers = sql`with recursive number (n) as (select 1 union all select n + 1 from number where n < ${rows})`
const key = sql`lower(hex(randomblob(16)))`

const blobs = sql`${numbers} insert into blob (digest, storage_key, size, created_at, linked)
  select 'sha256:' || n, ${key}, 1, 1, 0 from number`
const uploads = sql`${numbers} insert into upload
  (id, repository, principal, storage_key, generation, segments, byte_offset, created_at, touched_at)
  select n, 'acme/web', 'user:1', ${key}, 0, '[]', 0, 1, 1 from number`
const deadKeys = sql`${numbers} insert into dead_key (storage_key, since) select ${key}, 1 from number`

/** Returns the most turns of the event loop that other work had during one transaction. */
async function countTurns({ metadata }: OpenRegistry, work: () => Promise<unknown>): Promise<number> {
  const transact = metadata.transact.bind(metadata)
  let most = 0
  using counter = new TurnCounter()
  metadata.transact = (inner, options) =>
    transact(async (tx) => {
      const before = counter.turns
      const result = await inner(tx)
      most = Math.max(most, counter.turns - before)
      return result
    }, options)
  try {
    await work()
    return most
  } finally {
    metadata.transact = transact
  }
}

test.each([
  ['the collection of blobs', blobs, (open: OpenRegistry) => collectBlobs(open, 0, signal)],
  [
    'the expiry of uploads',
    uploads,
    (open: OpenRegistry) => expireUploads(open, { withBytesMs: 1, emptyMs: 1 }, signal),
  ],
  [
    'the postponement of dead keys',
    deadKeys,
    async (open: OpenRegistry) => {
      open.store.deleteAll = async (dead) => dead.map((one) => ({ key: one.key, error: new Error('stuck') }))
      return removeDeadKeys(open, signal)
    },
  ],
])('%s gives others turns within a batch', async (_, insert, run) => {
  await using open = await openRegistry()
  await open.metadata.transact((tx) => insert.execute(kyselyOf(tx)))
  open.clock.advance(1_000)
  expect(await countTurns(open, () => run(open))).toBeGreaterThan(0)
})
