import { describe, expect, test } from 'vitest'
import { ByteBudget } from './byte-budget.ts'

const forever = new AbortController().signal

/** Requests bytes and records the name when they are granted. */
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
  test('admits requests that fit, and the rest in order of arrival', async () => {
    const budget = new ByteBudget({ maxBytes: 10 })
    const started: string[] = []
    const asked = [
      ask(budget, started, { name: 'first', bytes: 6 }),
      ask(budget, started, { name: 'second', bytes: 6 }),
      ask(budget, started, { name: 'third', bytes: 1 }),
    ]
    await settle()
    expect([started, budget.takenBytes, budget.waiting]).toEqual([['first'], 6, 2])
    // The byte would fit, but earlier requests are waiting.
    expect(budget.tryTake(1)).toBe(false)
    budget.giveBack(6)
    await Promise.all(asked)
    expect([started, budget.takenBytes, budget.waiting]).toEqual([['first', 'second', 'third'], 7, 0])
    expect(budget.tryTake(3)).toBe(true)
    expect(budget.tryTake(1)).toBe(false)
  })

  test('gives its whole size to a larger request', async () => {
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

  test('forgets requests that leave the queue, and admits those behind them', async () => {
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

  test('gives a party no more than its share, and lets other parties pass its waiting requests', async () => {
    const budget = new ByteBudget({ maxBytes: 10, maxPerParty: 4 })
    expect(budget.tryTake(4, 'greedy')).toBe(true)
    const started: string[] = []
    const asked = Array.from({ length: 100 }, () =>
      budget.wait(1, forever, 'greedy').then(() => void started.push('greedy')),
    )
    await budget.wait(3, forever, 'other').then(() => void started.push('other'))
    expect([started, budget.takenBytes]).toEqual([['other'], 7])
    budget.giveBack(1, 'greedy')
    await settle()
    expect([started, budget.takenBytes, budget.waiting]).toEqual([['other', 'greedy'], 7, 99])
    for (let i = 0; i < 99; i++) budget.giveBack(1, 'greedy')
    await Promise.all(asked)
    expect(budget.takenBytes).toBe(7)
  })

  test('admits a request larger than the share of a party that holds nothing', () => {
    const budget = new ByteBudget({ maxBytes: 10, maxPerParty: 4 })
    expect(budget.tryTake(8, 'one')).toBe(true)
    expect(budget.tryTake(1, 'one')).toBe(false)
    budget.giveBack(8, 'one')
    expect(budget.tryTake(1, 'one')).toBe(true)
  })

  test('prefers the party that holds the least, even behind many requests of others', async () => {
    const budget = new ByteBudget({ maxBytes: 8, maxPerParty: 4 })
    const started: string[] = []
    const gone = new AbortController()
    const parties = ['one', 'two']
    for (const party of parties) budget.take(4, party)
    const waiting = parties.flatMap((party) =>
      Array.from({ length: 100 }, () =>
        budget.wait(2, gone.signal, party).then(() => void started.push(party)),
      ),
    )
    const late = ['late', 'later'].map((party) =>
      budget.wait(2, forever, party).then(() => void started.push(party)),
    )
    budget.giveBack(2, 'one')
    budget.giveBack(2, 'two')
    await Promise.all(late)
    expect(started).toEqual(['late', 'later'])
    expect([budget.takenBytes, budget.waiting]).toEqual([8, 200])
    gone.abort(new Error('gone'))
    await Promise.allSettled(waiting)
    expect([budget.takenBytes, budget.waiting]).toEqual([8, 0])
  })
})
