import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import type { Clock } from '../../../lib/clock.ts'
import { aName, numbers } from '../../contract/builders.ts'
import { createTemporaryFolder } from '../../contract/temporary-folder.ts'
import type { Transaction } from '../../handles.ts'
import type { Metadata } from '../../metadata.ts'
import { ensureRepository, findRepository } from '../../repositories/repositories.ts'
import { openSqliteMetadata } from './sqlite.ts'
import { TurnCounter } from '../../../../test/support/turn-counter.ts'

interface Opened extends AsyncDisposable {
  readonly metadata: Metadata
  logBytes(): Promise<number>
}

async function openMetadata(monotonic?: Clock): Promise<Opened> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const file = join(folder.path, 'lading.db')
  const faults: unknown[] = []
  const onFatal = (error: unknown): void => void faults.push(error)
  const metadata = stack.use(
    await openSqliteMetadata({ file, clock: systemClock, onFatal, ...(monotonic && { monotonic }) }),
  )
  const resources = stack.move()
  return {
    metadata,
    logBytes: async () => (await stat(`${file}-wal`)).size,
    [Symbol.asyncDispose]: async () => {
      await resources.disposeAsync()
      expect(faults).toEqual([])
    },
  }
}

const create = (name: ReturnType<typeof aName>) => (tx: Transaction) =>
  ensureRepository(tx, { name, visibility: 'private', now: 1 })

test('commits transactions of one turn together, and consecutive ones separately', async () => {
  // A stopped clock: the time that the group takes on this machine must not matter.
  await using opened = await openMetadata({ now: () => 0 })
  const { metadata } = opened
  const written = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await opened.logBytes()
    await work()
    return (await opened.logBytes()) - before
  }
  const together = await written(() => Promise.all(numbers(40).map(() => metadata.transact(create(aName())))))
  const apart = await written(async () => {
    for (const _ of numbers(40)) await metadata.transact(create(aName()))
  })
  expect(together).toBeGreaterThan(0)
  expect(together).toBeLessThan(apart / 4)
})

test('rolls back only the failed transactions, and returns the results of the others in order', async () => {
  await using opened = await openMetadata()
  const { metadata } = opened
  const names = numbers(9).map(() => aName())
  const order: string[] = []
  const attempts = names.map((name, index) =>
    metadata
      .transact(async (tx) => {
        await create(name)(tx)
        if (index % 3 === 1) throw new Error(`refused ${index}`)
        return index
      })
      .then(
        (value) => void order.push(`${value}`),
        (error: Error) => void order.push(error.message),
      ),
  )
  await Promise.all(attempts)
  expect(order.toSorted()).toEqual(['0', '2', '3', '5', '6', '8', 'refused 1', 'refused 4', 'refused 7'])
  const kept = await Promise.all(names.map((name) => findRepository(metadata.reader, name)))
  expect(kept.map((found) => found !== undefined)).toEqual(names.map((_name, index) => index % 3 !== 1))
})

test('each transaction sees the writes of earlier ones in its group', async () => {
  await using opened = await openMetadata()
  const { metadata } = opened
  const name = aName()
  const ids = await Promise.all(
    numbers(5).map(() => metadata.transact(async (tx) => (await create(name)(tx)).id)),
  )
  expect(new Set(ids).size).toBe(1)
})

test('puts transactions that arrive during a group into the next one', async () => {
  await using opened = await openMetadata()
  const { metadata } = opened
  const later: Promise<unknown>[] = []
  await Promise.all(
    numbers(3).map(() =>
      metadata.transact(async (tx) => {
        await create(aName())(tx)
        later.push(metadata.transact(create(aName())))
      }),
    ),
  )
  expect(await Promise.all(later)).toHaveLength(3)
})

test('a group ends when it has blocked the event loop for long, and the rest runs in the next turns', async () => {
  let now = 0
  await using opened = await openMetadata({ now: () => now })
  const { metadata } = opened
  using counter = new TurnCounter()
  const turnsOfJobs: number[] = []
  await Promise.all(
    numbers(6).map(() =>
      metadata.transact(async (tx) => {
        await create(aName())(tx)
        turnsOfJobs.push(counter.turns)
        // As long as a group may take.
        now += 10
      }),
    ),
  )
  expect(new Set(turnsOfJobs).size).toBe(6)
})
