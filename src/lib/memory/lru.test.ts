import { describe, expect, test } from 'vitest'
import { Lru } from './lru.ts'

describe('Lru', () => {
  test('drops the value unused for longest when the bytes exceed the limit', () => {
    const lru = new Lru<string, number>({ maxBytes: 10 })
    lru.set('a', 1, 4)
    lru.set('b', 2, 4)
    expect(lru.get('a')).toBe(1)
    lru.set('c', 3, 4)
    expect(lru.get('b')).toBeUndefined()
    expect(lru.get('a')).toBe(1)
    expect(lru.get('c')).toBe(3)
    expect(lru.bytes).toBe(8)
  })

  test('drops as many values as a heavy one needs', () => {
    const lru = new Lru<string, number>({ maxBytes: 10 })
    for (const key of ['a', 'b', 'c', 'd', 'e']) lru.set(key, 0, 2)
    lru.set('heavy', 1, 9)
    expect(lru.size).toBe(1)
    expect(lru.bytes).toBe(9)
  })

  test('does not keep a value heavier than the limit, nor the one it replaces', () => {
    const lru = new Lru<string, number>({ maxBytes: 10 })
    lru.set('a', 1, 4)
    lru.set('a', 2, 11)
    expect(lru.get('a')).toBeUndefined()
    expect(lru.bytes).toBe(0)
  })

  test('counts a replaced value once', () => {
    const lru = new Lru<string, number>({ maxBytes: 10 })
    lru.set('a', 1, 4)
    lru.set('a', 2, 6)
    expect(lru.get('a')).toBe(2)
    expect(lru.bytes).toBe(6)
  })

  test('forgets what is deleted or cleared', () => {
    const lru = new Lru<string, number>({ maxBytes: 10 })
    lru.set('a', 1, 4)
    lru.set('b', 1, 4)
    expect(lru.delete('a')).toBe(true)
    expect(lru.delete('a')).toBe(false)
    expect(lru.bytes).toBe(4)
    lru.clear()
    expect(lru.size).toBe(0)
    expect(lru.bytes).toBe(0)
  })

  test('counts hits and misses', () => {
    const lru = new Lru<string, number>({ maxBytes: 10 })
    lru.set('a', 1, 4)
    lru.get('a')
    lru.get('b')
    expect(lru.stats()).toEqual({ hits: 1, misses: 1, entries: 1, bytes: 4 })
  })

  test('returns the next value to drop and whether there is room', () => {
    const lru = new Lru<string, number>({ maxBytes: 10 })
    expect(lru.oldestKey).toBeUndefined()
    lru.set('a', 1, 4)
    lru.set('b', 2, 4)
    lru.get('a')
    expect(lru.oldestKey).toBe('b')
    expect([lru.hasRoomFor(2), lru.hasRoomFor(3)]).toEqual([true, false])
  })
})
