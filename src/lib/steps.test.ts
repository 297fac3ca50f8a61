import { expect, test } from 'vitest'
import { runInTurns } from './steps.ts'
import type { Steps } from './steps.ts'
import { Loop, Turns } from './turns.ts'

test('of many that run in turns, one goes on in each turn of the event loop', async () => {
  const scheduled: (() => void)[] = []
  const loop = new Loop({ schedule: (callback) => void scheduled.push(callback) })
  let steps = 0
  function* work(): Steps<number> {
    for (let step = 1; step <= 5; step++) {
      steps += 1
      yield
    }
    return 5
  }
  const running = Array.from({ length: 20 }, () => runInTurns(work(), new Turns({ loop })))
  const perTurn: number[] = []
  for (let before = steps; scheduled.length > 0; before = steps) {
    for (const callback of scheduled.splice(0)) callback()
    for (let depth = 0; depth < 20; depth++) await Promise.resolve()
    perTurn.push(steps - before)
  }
  expect(await Promise.all(running)).toEqual(Array.from({ length: 20 }, () => 5))
  expect([steps, Math.max(...perTurn)]).toEqual([100, 1])
})
