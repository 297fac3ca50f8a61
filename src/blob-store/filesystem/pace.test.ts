import { describe, expect, test } from 'vitest'
import { Pace } from './pace.ts'

function noteTimes(pace: Pace, ms: number, times: number): void {
  for (let count = 0; count < times; count++) pace.note(ms)
}

describe('the pace of a peer', () => {
  test('deserves large buffers after many quick ones, and keeps them through a pause', () => {
    const pace = new Pace()
    noteTimes(pace, 1, 63)
    expect(pace.deservesLarge).toBe(false)
    pace.note(1)
    expect(pace.deservesLarge).toBe(true)
    pace.note(50)
    expect(pace.deservesLarge).toBe(true)
  })

  test('is not proven by quick moments between slower ones', () => {
    const pace = new Pace()
    for (let burst = 0; burst < 10; burst++) {
      noteTimes(pace, 1, 63)
      pace.note(50)
    }
    expect(pace.deservesLarge).toBe(false)
  })

  test('has to be proven longer after each stall', () => {
    const pace = new Pace()
    noteTimes(pace, 1, 64)
    pace.note(400)
    expect(pace.deservesLarge).toBe(false)
    noteTimes(pace, 1, 255)
    expect(pace.deservesLarge).toBe(false)
    pace.note(1)
    expect(pace.deservesLarge).toBe(true)
    noteTimes(pace, 400, 5)
    noteTimes(pace, 1, 16_000)
    expect(pace.deservesLarge).toBe(false)
  })
})
