import { expect, test } from 'vitest'
import { TurnBudget } from './turn-budget.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('cheaper work than expected makes room for more in its turn, and costlier work for less', async () => {
  const budget = new TurnBudget({ maxBytes: 10 })
  const begun: string[] = []
  const work = async (name: string, actual: number): Promise<void> => {
    await budget.take(5)
    const { turn } = budget
    begun.push(name)
    await Promise.resolve()
    budget.settle({ turn, taken: 5, actual })
  }
  const all = ['a', 'b', 'c', 'd'].map((name) => work(name, 1))
  const large = ['e', 'f', 'g'].map((name) => work(name, 30))
  await Promise.all(all)
  expect(begun.slice(0, 4)).toEqual(['a', 'b', 'c', 'd'])
  expect(begun.length).toBeLessThan(7)
  await Promise.all(large)
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
})

test('a turn admits work that fits, in order, and leaves the rest to the next turns', async () => {
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
