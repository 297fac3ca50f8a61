import { expect, test } from 'vitest'
import { Loop } from '../../lib/turns/turns.ts'
import type { GrantOf } from '../../metadata/rights/grants.ts'
import { createGrantsLoader } from './load-grants.ts'

function grantsOf(count: number): GrantOf[] {
  return Array.from({ length: count }, (_, index) => ({
    id: index,
    owner: 'acme',
    pattern: `p${index}/**`,
    role: 'reader',
    actions: ['pull'],
    team: undefined,
  }))
}

/** Opens a loader and records its reads; the test runs its turns of the event loop. */
function open(count: number) {
  const scheduled: (() => void)[] = []
  const read: number[] = []
  let rows = grantsOf(count)
  const load = createGrantsLoader({
    list: (accountId) => {
      read.push(accountId)
      return rows
    },
    loop: new Loop({ schedule: (callback) => void scheduled.push(callback) }),
  })
  const runTurn = async (): Promise<void> => {
    for (const callback of scheduled.splice(0)) callback()
    for (let depth = 0; depth < 20; depth++) await Promise.resolve()
  }
  return { load, read, runTurn, change: (now: number) => (rows = grantsOf(now)) }
}

test('few grants are read at once, each time', () => {
  const { load, read } = open(10)
  for (const _ of [1, 2]) expect(load(1)).toMatchObject({ count: 10 })
  expect(read).toEqual([1, 1])
})

test('accounts with many grants are read one per turn, each once for all that wait', async () => {
  const { load, read, runTurn } = open(5_000)
  for (const account of [1, 2, 3]) await load(account)
  read.length = 0
  const asked = [1, 1, 2, 1, 3, 2].map((account) => load(account))
  const perTurn: number[] = []
  for (let turn = 0; turn < 4; turn++) {
    const before = read.length
    await runTurn()
    perTurn.push(read.length - before)
  }
  expect(read).toEqual([1, 2, 3])
  expect(Math.max(...perTurn)).toBe(1)
  for (const held of asked) expect((await held).count).toBe(5_000)
})

test('what is asked after a read has begun is read again, and at once when the grants are few by then', async () => {
  const { load, read, runTurn, change } = open(5_000)
  await load(1)
  const earlier = load(1)
  await runTurn()
  change(2)
  const later = load(1)
  await runTurn()
  expect((await earlier).count).toBe(5_000)
  expect((await later).count).toBe(2)
  expect(load(1)).toMatchObject({ count: 2 })
  expect(read).toHaveLength(4)
})
