import { describe, expect, test } from 'vitest'
import { FrequencySketch } from './frequency-sketch.ts'

function note(sketch: FrequencySketch, key: string, times: number): void {
  for (let time = 0; time < times; time += 1) sketch.note(key)
}

describe('FrequencySketch', () => {
  test('returns how often a key was recorded, up to 15', () => {
    const sketch = new FrequencySketch(1024)
    note(sketch, 'three', 3)
    note(sketch, 'many', 100)
    expect(sketch.estimate('three')).toBe(3)
    expect(sketch.estimate('many')).toBe(15)
    expect(sketch.estimate('never')).toBe(0)
  })

  test('is rarely wrong for the number of keys that it was made for', () => {
    const sketch = new FrequencySketch(1024)
    const keys = Array.from({ length: 1024 }, (_, index) => `blob/${(index * 7919).toString(16)}`)
    for (const key of keys) note(sketch, key, 2)
    const estimates = keys.map((key) => sketch.estimate(key))
    expect(Math.min(...estimates)).toBe(2)
    expect(estimates.filter((estimate) => estimate > 2).length).toBeLessThan(keys.length * 0.2)
  })

  test('forgets by halves', () => {
    const sketch = new FrequencySketch(64)
    note(sketch, 'once popular', 15)
    note(sketch, 'another', 64 * 4 - 15)
    expect(sketch.estimate('once popular')).toBe(7)
    expect(sketch.estimate('another')).toBe(7)
  })
})
