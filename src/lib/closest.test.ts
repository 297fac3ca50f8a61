import { describe, expect, test } from 'vitest'
import { findClosest } from './closest.ts'

describe('findClosest', () => {
  test.each([
    ['sevre', ['serve', 'version'], 'serve'],
    ['http.prot', ['http.port', 'http.host'], 'http.port'],
    ['verion', ['serve', 'version'], 'version'],
  ])('finds what %s means', (word, candidates, expected) => {
    expect(findClosest(word, candidates)).toBe(expected)
  })

  test('guesses nothing when no candidate is near', () => {
    expect(findClosest('kubernetes', ['serve', 'version'])).toBeUndefined()
    expect(findClosest('x', [])).toBeUndefined()
  })
})
