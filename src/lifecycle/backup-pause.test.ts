import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { bodyOf, caller, openRegistry } from '../../test/support/parts/open-registry.ts'
import type { Clock } from '../lib/clock.ts'
import { LeaseWatch } from '../metadata/system/lease-watch.ts'
import { digestBytes } from '../oci/digest.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import { holdDeletions, holdTtlMs, type DeletionHold } from './backup/deletion-hold.ts'
import { collectBlobs } from './collect-blobs.ts'
import { removeDeadKeys } from './remove-dead-keys.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()
const yearMs = 365 * 86_400_000

/** Opens a registry with one dead key, the job that removes it, and backups that may have a different clock. */
async function openJob() {
  const open = await openRegistry()
  const { metadata, clock, registry } = open
  const bytes = randomBytes(100)
  const digest = digestBytes(bytes)
  await registry.uploads.push({ repository, caller, digest, body: bodyOf([bytes]), signal })
  await registry.blobs.delete(repository, digest, caller)
  clock.advance(2)
  expect(await collectBlobs(open, 1, signal)).toBe(1)
  const time = { now: 0 }
  const warnings: object[] = []
  const deps = {
    ...open,
    log: { ...open.log, warn: (fields: object) => void warnings.push(fields) },
    backupWatch: new LeaseWatch({ monotonic: { now: () => time.now }, ttlMs: holdTtlMs }),
  }
  return {
    clock,
    time,
    warnings,
    remove: () => removeDeadKeys(deps, signal),
    startBackup: (itsClock: Clock = clock): Promise<DeletionHold> =>
      holdDeletions({ metadata, clock: itsClock, holder: 'here/1/a', hasEnded: () => false }),
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

test('a killed backup whose clock was ahead holds deletions for a minute', async () => {
  await using job = await openJob()
  const ahead = { now: () => job.clock.now() + yearMs }
  await job.startBackup(ahead)
  expect(await job.remove()).toBe(0)
  job.time.now += holdTtlMs - 1
  expect(await job.remove()).toBe(0)
  expect(job.warnings).toEqual([{ holder: 'here/1/a', leftMs: yearMs + holdTtlMs }])
  job.time.now += 1
  expect(await job.remove()).toBe(1)
})

test('a running backup holds deletions while it renews, whatever its clock', async () => {
  await using job = await openJob()
  const ahead = { now: () => job.clock.now() + yearMs }
  {
    await using hold = await job.startBackup(ahead)
    for (let turn = 0; turn < 5; turn += 1) {
      expect(await job.remove()).toBe(0)
      job.time.now += holdTtlMs
      job.clock.advance(holdTtlMs / 4)
      await hold.confirm()
    }
    expect(job.warnings).toHaveLength(1)
  }
  expect(await job.remove()).toBe(1)
})

test('a stopped backup fails once bytes were deleted, even if its clock is behind', async () => {
  await using job = await openJob()
  const standing = job.clock.now()
  const hold = await job.startBackup({ now: () => standing })
  job.clock.advance(holdTtlMs)
  expect(await job.remove()).toBe(1)
  await expect(hold.confirm()).rejects.toThrow('run the backup again')
  await hold[Symbol.asyncDispose]()
})
