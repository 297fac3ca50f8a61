import { expect, test } from 'vitest'
import { TurnBudget } from './turn-budget.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a turn takes what fits, in order, and leaves the rest to the next ones', async () => {
  const budget = new TurnBudget({ maxBytes: 10 })
  const begun: number[] = []
  const work = [6, 4, 1, 50, 5, 5].map(async (bytes) => {
    await budget.take(bytes)
    begun.push(bytes)
  })
  await Promise.resolve()
  expect(begun).toEqual([6, 4])
  const turns: number[][] = []
  for (let turn = 0; turn < 3; turn++) {
    const before = begun.length
    await nextTurn()
    turns.push(begun.slice(before))
  }
  expect(turns).toEqual([[1], [50], [5, 5]])
  await Promise.all(work)
  await nextTurn()
  expect(budget.take(10)).toBeUndefined()
})
