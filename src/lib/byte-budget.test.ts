import { describe, expect, test } from 'vitest'
import { ByteBudget } from './byte-budget.ts'

const forever = new AbortController().signal

/** Asks for bytes and notes the name when they are taken. */
function ask(
  budget: ByteBudget,
  started: string[],
  { name = '', bytes = 0, signal = forever },
): Promise<void> {
  return budget.wait(bytes, signal).then(() => void started.push(name))
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('a budget of bytes', () => {
  test('lets in what fits, and the rest in the order it came', async () => {
    const budget = new ByteBudget({ maxBytes: 10 })
    const started: string[] = []
    const asked = [
      ask(budget, started, { name: 'first', bytes: 6 }),
      ask(budget, started, { name: 'second', bytes: 6 }),
      ask(budget, started, { name: 'third', bytes: 1 }),
    ]
    await settle()
    expect([started, budget.takenBytes, budget.waiting]).toEqual([['first'], 6, 2])
    // It would fit, but others came before.
    expect(budget.tryTake(1)).toBe(false)
    budget.giveBack(6)
    await Promise.all(asked)
    expect([started, budget.takenBytes, budget.waiting]).toEqual([['first', 'second', 'third'], 7, 0])
    expect(budget.tryTake(3)).toBe(true)
    expect(budget.tryTake(1)).toBe(false)
  })

  test('gives all of itself to what is larger', async () => {
    const budget = new ByteBudget({ maxBytes: 10 })
    expect(budget.tryTake(1)).toBe(true)
    const started: string[] = []
    const large = ask(budget, started, { name: 'large', bytes: 100 })
    await settle()
    expect(started).toEqual([])
    budget.giveBack(1)
    await large
    expect(budget.takenBytes).toBe(100)
  })

  test('forgets who leaves the line, and lets in those behind', async () => {
    const budget = new ByteBudget({ maxBytes: 10 })
    budget.take(8)
    const leaving = new AbortController()
    const started: string[] = []
    const large = budget.wait(5, leaving.signal)
    const small = ask(budget, started, { name: 'small', bytes: 2 })
    const reason = new Error('gone')
    leaving.abort(reason)
    await expect(large).rejects.toBe(reason)
    await small
    expect([started, budget.takenBytes, budget.waiting]).toEqual([['small'], 10, 0])
    await expect(budget.wait(1, leaving.signal)).rejects.toBe(reason)
  })
})
