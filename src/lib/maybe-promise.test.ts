import { describe, expect, test } from 'vitest'
import { andThen, andThenBoth, isReady } from './maybe-promise.ts'

const increment = (value: number): number => value + 1
const add = (one: number, other: number): number => one + other
const failure = new Error('planted')

function fail(): never {
  throw failure
}

describe('a value that may be a promise', () => {
  test('calls the work immediately with a value, or when the promise resolves', async () => {
    expect(andThen(1, increment)).toBe(2)
    const later = andThen(Promise.resolve(1), increment)
    expect(isReady(later)).toBe(false)
    expect(await later).toBe(2)
  })

  test('returns the promise of the work', async () => {
    expect(await andThen(1, (value) => Promise.resolve(value + 1))).toBe(2)
  })

  test('throws an error for a value and rejects for a promise', async () => {
    expect(() => andThen(1, fail)).toThrow(failure)
    await expect(andThen(Promise.resolve(1), fail)).rejects.toBe(failure)
    await expect(andThen(Promise.reject<number>(failure), increment)).rejects.toBe(failure)
  })

  test('combines two values', async () => {
    expect(andThenBoth(1, 2, add)).toBe(3)
    expect(await andThenBoth(Promise.resolve(1), 2, add)).toBe(3)
    expect(await andThenBoth(1, Promise.resolve(2), add)).toBe(3)
    await expect(andThenBoth(Promise.reject<number>(failure), Promise.resolve(2), add)).rejects.toBe(failure)
  })
})
