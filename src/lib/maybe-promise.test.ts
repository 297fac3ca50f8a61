import { describe, expect, test } from 'vitest'
import { andThen, andThenBoth, isReady } from './maybe-promise.ts'

const increment = (value: number): number => value + 1
const add = (one: number, other: number): number => one + other
const failure = new Error('planted')

function fail(): never {
  throw failure
}

describe('a value that may be a promise', () => {
  test('goes on at once where it is there', async () => {
    expect(andThen(1, increment)).toBe(2)
    const later = andThen(Promise.resolve(1), increment)
    expect(isReady(later)).toBe(false)
    expect(await later).toBe(2)
  })

  test('goes on with what comes later', async () => {
    expect(await andThen(1, (value) => Promise.resolve(value + 1))).toBe(2)
  })

  test('passes errors on in the way in which the value comes', async () => {
    expect(() => andThen(1, fail)).toThrow(failure)
    await expect(andThen(Promise.resolve(1), fail)).rejects.toBe(failure)
    await expect(andThen(Promise.reject<number>(failure), increment)).rejects.toBe(failure)
  })

  test('is joined with another one', async () => {
    expect(andThenBoth(1, 2, add)).toBe(3)
    expect(await andThenBoth(Promise.resolve(1), 2, add)).toBe(3)
    expect(await andThenBoth(1, Promise.resolve(2), add)).toBe(3)
    await expect(andThenBoth(Promise.reject<number>(failure), Promise.resolve(2), add)).rejects.toBe(failure)
  })
})
