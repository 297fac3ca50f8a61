import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../../test/support/processes/temp-folder.ts'
import { systemClock } from '../lib/clock.ts'
import { openSqliteMetadata } from './dialects/sqlite/sqlite.ts'
import { ObservedMetadata } from './observed-metadata.ts'
import type { TransactionObservation } from './observed-metadata.ts'

async function openObserved() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const onFatal = (error: unknown) => {
    throw error
  }
  const seen: TransactionObservation[] = []
  let time = 0
  const opened = await openSqliteMetadata({
    file: join(folder.path, 'lading.db'),
    clock: systemClock,
    onFatal,
  })
  const metadata = stack.use(
    new ObservedMetadata(opened, { onTransaction: (one) => void seen.push(one), now: () => ++time }),
  )
  const resources = stack.move()
  return { metadata, seen, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

describe('ObservedMetadata', () => {
  test('reports how long a transaction waited and took', async () => {
    await using opened = await openObserved()
    expect(await opened.metadata.transact(async () => opened.metadata.pending)).toBe(1)
    expect(opened.metadata.pending).toBe(0)
    expect(opened.seen).toEqual([{ waitMs: 1, durationMs: 2, runs: 1, failed: false }])
  })

  test('reports a failure and passes it on', async () => {
    await using opened = await openObserved()
    const work = () => Promise.reject(new Error('refused'))
    await expect(opened.metadata.transact(work)).rejects.toThrow('refused')
    expect(opened.seen).toMatchObject([{ failed: true }])
  })
})
