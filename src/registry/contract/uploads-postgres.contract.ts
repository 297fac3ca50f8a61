/** Tests the ceiling of upload sessions with two processes that share a PostgreSQL database and write concurrently. */
import { env } from 'node:process'
import { expect, test } from 'vitest'
import { openPolicy } from '../../../test/support/parts/open-identity.ts'
import { bodyOf, testLives } from '../../../test/support/parts/open-registry.ts'
import { createAudit } from '../../audit/audit.ts'
import { MemoryBlobStore } from '../../blob-store/memory/memory-blob-store.ts'
import { monotonicClock, systemClock } from '../../lib/clock.ts'
import { systemIds } from '../../lib/ids.ts'
import { systemTimers } from '../../lib/timers.ts'
import { openPostgresMetadata } from '../../metadata/dialects/postgres/postgres.ts'
import { countUploads } from '../../metadata/content/upload-ceiling.ts'
import { findUpload } from '../../metadata/content/uploads.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import { BlobHealth } from '../blob-health.ts'
import type { Caller } from '../caller.ts'
import { HashThreads } from '../uploads/hash-threads.ts'
import { holderOf } from '../uploads/session-ceiling.ts'
import { createUploads } from '../uploads/uploads.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()
const clock = systemClock

/** Opens two upload services over one store, each with its own connections. */
async function openTwo(maxSessions: number) {
  await using stack = new AsyncDisposableStack()
  const url = env['LADING_TEST_POSTGRES_URL'] ?? ''
  const store = stack.use(new MemoryBlobStore({ clock, maxBytes: 1024 * 1024 }))
  const open = async () => {
    const metadata = stack.use(await openPostgresMetadata({ url, clock }))
    const audit = stack.use(createAudit({ metadata, clock, onError: () => undefined }))
    const parts = { metadata, store, clock, audit, timers: systemTimers, ids: systemIds, policy: openPolicy }
    const health = new BlobHealth({ ...parts, monotonic: monotonicClock, onDamage: () => undefined })
    const limits = { maxSessions, lives: testLives, takeoverMs: 5_000 }
    const hashThreads = stack.use(new HashThreads())
    return {
      metadata,
      uploads: createUploads({ ...parts, ...limits, health, hashThreads, onDeadKey: () => undefined }),
    }
  }
  const [one, two] = [await open(), await open()]
  const resources = stack.move()
  return { one, two, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

function aCaller(accountId: number): Caller {
  const principal = { kind: 'user', accountId, name: 'ada', isAdmin: false, scopes: undefined } as const
  return { principal, push: { create: true, update: true } }
}

test.each([1, 3, 40])('two processes together keep a ceiling of %i', async (maxSessions) => {
  await using world = await openTwo(maxSessions)
  const { one, two } = world
  const caller = aCaller(Date.now() + maxSessions)
  const start = (index: number) => (index % 2 === 0 ? one : two).uploads.start({ repository, caller })
  await Promise.allSettled(Array.from({ length: 2 * maxSessions + 20 }, (_, index) => start(index)))
  expect(await countUploads(one.metadata.reader, holderOf(caller))).toBe(maxSessions)
})

test('a session whose first byte has arrived in one process is not ended by the other', async () => {
  const maxSessions = 30
  await using world = await openTwo(maxSessions)
  const { one, two } = world
  const caller = aCaller(Date.now())
  const sessions: string[] = []
  for (let index = 0; index < maxSessions; index += 1) {
    const { id } = await one.uploads.start({ repository, caller })
    sessions.push(id)
  }
  const isFilled = await Promise.all(
    sessions.map(async (id) => {
      const body = bodyOf([Buffer.from('abc')])
      // The other process opens sessions beyond the ceiling at the same time.
      void two.uploads.start({ repository, caller }).catch(() => undefined)
      return one.uploads.append({ repository, id, caller, body, signal }).then(
        () => true,
        () => false,
      )
    }),
  )
  for (let count = 0; count < maxSessions; count += 1) {
    await two.uploads.start({ repository, caller }).catch(() => undefined)
  }
  const rows = await Promise.all(sessions.map((id) => findUpload(one.metadata.reader, id)))
  expect(rows.map((row) => row?.offset === 3)).toEqual(isFilled)
  expect(isFilled.filter(Boolean).length).toBeGreaterThanOrEqual(maxSessions / 2)
  expect(await countUploads(one.metadata.reader, holderOf(caller))).toBeLessThanOrEqual(maxSessions)
})
