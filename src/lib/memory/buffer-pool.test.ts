import { describe, expect, test } from 'vitest'
import { BufferPool } from './buffer-pool.ts'

const options = { smallBytes: 8, largeBytes: 64, budgetBytes: 130, maxIdleBytes: 70 }

describe('BufferPool', () => {
  test('lends a buffer again after its return', () => {
    const pool = new BufferPool(options)
    const first = pool.lendSmall()
    expect(first.byteLength).toBe(8)
    expect(pool.lentBytes).toBe(8)
    pool.giveBack(first)
    expect(pool.lentBytes).toBe(0)
    expect(pool.lendSmall()).toBe(first)
    expect(pool.idleBytes).toBe(0)
  })

  test('refuses a large buffer beyond the budget and lends one again after a return', () => {
    const pool = new BufferPool(options)
    const first = pool.lendLarge()
    expect(first?.byteLength).toBe(64)
    expect(pool.lendLarge()?.byteLength).toBe(64)
    expect(pool.lendLarge()).toBeUndefined()
    pool.giveBack(first!)
    expect(pool.lendLarge()).toBe(first)
  })

  test('always lends a small buffer, and counts it against the large ones', () => {
    const pool = new BufferPool(options)
    for (let count = 0; count < 20; count++) expect(pool.lendSmall().byteLength).toBe(8)
    expect(pool.lentBytes).toBe(160)
    expect(pool.lendLarge()).toBeUndefined()
  })

  test('keeps no more idle bytes than allowed', () => {
    const pool = new BufferPool(options)
    const buffers = [pool.lendLarge()!, pool.lendLarge()!]
    for (const buffer of buffers) pool.giveBack(buffer)
    expect(pool.lentBytes).toBe(0)
    expect(pool.idleBytes).toBe(64)
  })

  test('never lends a forgotten buffer again', () => {
    const pool = new BufferPool(options)
    const held = pool.lendSmall()
    pool.forget(held)
    expect(pool.lentBytes).toBe(0)
    expect(pool.lendSmall()).not.toBe(held)
  })
})
