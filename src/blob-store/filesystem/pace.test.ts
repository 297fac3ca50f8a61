import { describe, expect, test } from 'vitest'
import { Pace, readerProof } from './pace.ts'

function noteTimes(pace: Pace, ms: number, times: number): void {
  for (let count = 0; count < times; count++) pace.note(ms)
}

describe('the pace of a peer', () => {
  test('deserves large buffers after many fast ones, and keeps them through a pause', () => {
    const pace = new Pace(readerProof)
    noteTimes(pace, 1, 63)
    expect(pace.deservesLarge).toBe(false)
    pace.note(1)
    expect(pace.deservesLarge).toBe(true)
    pace.note(50)
    expect(pace.deservesLarge).toBe(true)
  })

  test('is not proven by fast buffers between slower ones', () => {
    const pace = new Pace(readerProof)
    for (let burst = 0; burst < 10; burst++) {
      noteTimes(pace, 1, 63)
      pace.note(50)
    }
    expect(pace.deservesLarge).toBe(false)
  })

  test('needs more fast buffers after each stall', () => {
    const pace = new Pace(readerProof)
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
