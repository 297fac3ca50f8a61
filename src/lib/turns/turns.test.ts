import { describe, expect, test } from 'vitest'
import { Loop, maxTurnMs, Turns } from './turns.ts'

/** A loop whose clock advances by one millisecond each time it is read, and whose turns the test runs. */
function createManualLoop() {
  let time = 0
  const scheduled: (() => void)[] = []
  const loop = new Loop({ now: () => time++, schedule: (callback) => void scheduled.push(callback) })
  const runTurn = async (): Promise<boolean> => {
    const callbacks = scheduled.splice(0)
    for (const callback of callbacks) callback()
    // Code that awaits settled promises belongs to the same turn.
    for (let depth = 0; depth < 20; depth++) await Promise.resolve()
    return callbacks.length > 0
  }
  return { loop, runTurn }
}

async function walk(turns: Turns, units: number, onUnit: () => void): Promise<void> {
  for (let unit = 0; unit < units; unit++) {
    onUnit()
    await turns.pass()
  }
}

describe('the turns of walks', () => {
  test('yield to the event loop when the time of a turn is used up', async () => {
    const { loop, runTurn } = createManualLoop()
    let units = 0
    const walking = walk(new Turns({ loop }), 100, () => (units += 1))
    const perTurn: number[] = []
    for (let before = 0; await runTurn(); before = units) perTurn.push(units - before)
    await walking
    expect(units).toBe(100)
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(2 * maxTurnMs + 2)
    expect(loop.turns).toBeGreaterThan(100 / (maxTurnMs + 1) - 1)
  })

  test('are one per turn of the loop for any number of walks', async () => {
    const { loop, runTurn } = createManualLoop()
    const units = Array.from({ length: 40 }, () => 0)
    const walks = units.map((_, index) => walk(new Turns({ loop }), 30, () => (units[index]! += 1)))
    await runTurn()
    const total = (): number => units.reduce((sum, one) => sum + one, 0)
    const perTurn: number[] = []
    for (let before = total(); await runTurn(); before = total()) perTurn.push(total() - before)
    await Promise.all(walks)
    expect(units).toEqual(units.map(() => 30))
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(maxTurnMs + 1)
  })

  test('serve waiting walks in order of arrival', async () => {
    const { loop, runTurn } = createManualLoop()
    const order: number[] = []
    const waiting = [1, 2, 3].map(async (one) => {
      await loop.wait()
      order.push(one)
    })
    for (let turn = 0; turn < 3; turn++) await runTurn()
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3])
  })

  test('rotate among parties, so that many walks of one do not delay others', async () => {
    const { loop, runTurn } = createManualLoop()
    const order: string[] = []
    const waiting = ['many', 'many', 'many', 'few'].map(async (party) => {
      await new Turns({ loop, party }).rest()
      order.push(party)
    })
    for (let turn = 0; turn < 4; turn++) await runTurn()
    await Promise.all(waiting)
    expect(order).toEqual(['many', 'few', 'many', 'many'])
  })

  test('end with the reason of the signal', async () => {
    const { loop, runTurn } = createManualLoop()
    const controller = new AbortController()
    const gone = new Error('the client is gone')
    let units = 0
    const walking = walk(new Turns({ loop, signal: controller.signal }), 1000, () => (units += 1))
    const outcome = walking.catch((error: unknown) => error)
    await runTurn()
    controller.abort(gone)
    const before = units
    for (let turn = 0; turn < 5; turn++) await runTurn()
    expect(await outcome).toBe(gone)
    expect(units).toBe(before)
  })

  test('end after the number that the walk may have', async () => {
    const { loop, runTurn } = createManualLoop()
    const turns = new Turns({ loop, maxTurns: 2 })
    const seen = [turns.isSpent]
    for (let rest = 0; rest < 2; rest++) {
      const resting = turns.rest()
      await runTurn()
      await resting
      seen.push(turns.isSpent)
    }
    expect(seen).toEqual([false, false, true])
  })

  test('run on the event loop of the process', async () => {
    const others: number[] = []
    const tick = setInterval(() => others.push(1), 0)
    const turns = new Turns()
    // Fails instead of hanging if no other work gets a turn.
    for (let unit = 0; others.length < 3 && unit < 50_000_000; unit++) await turns.pass()
    clearInterval(tick)
    expect(others.length).toBeGreaterThanOrEqual(3)
  })
})
