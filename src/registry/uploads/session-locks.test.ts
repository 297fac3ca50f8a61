import { describe, expect, test, vi } from 'vitest'
import { LetGo, SessionLocks } from './session-locks.ts'

describe('session locks', () => {
  test('gives a free session at once', async () => {
    const locks = new SessionLocks({ deadlineMs: 60_000 })
    using lock = await locks.acquire('a')
    expect(lock.letGo.aborted).toBe(false)
  })

  test('asks the holder to let go and waits until it has', async () => {
    const locks = new SessionLocks({ deadlineMs: 60_000 })
    const first = await locks.acquire('a')
    const order: string[] = []
    first.letGo.addEventListener('abort', () => {
      order.push('asked')
      queueMicrotask(() => {
        order.push('released')
        first[Symbol.dispose]()
      })
    })
    using second = await locks.acquire('a')
    order.push('taken')
    expect(order).toEqual(['asked', 'released', 'taken'])
    expect(first.letGo.reason).toBeInstanceOf(LetGo)
    expect(second.letGo.aborted).toBe(false)
  })

  test('serves newcomers one after the other', async () => {
    const locks = new SessionLocks({ deadlineMs: 60_000 })
    let holders = 0
    const visit = async (): Promise<void> => {
      using lock = await locks.acquire('a')
      holders += 1
      expect(holders).toBe(1)
      await new Promise<void>((resolve) => {
        if (lock.letGo.aborted) resolve()
        lock.letGo.addEventListener('abort', () => resolve())
        setImmediate(resolve)
      })
      holders -= 1
    }
    await Promise.all(Array.from({ length: 20 }, visit))
    expect(holders).toBe(0)
  })

  test('passes over a holder that hangs, whose late release does not free the newcomer', async () => {
    const locks = new SessionLocks({ deadlineMs: 1 })
    const hung = await locks.acquire('a')
    const second = await locks.acquire('a')
    hung[Symbol.dispose]()
    let third = false
    const waiting = locks.acquire('a').then((lock) => {
      third = true
      return lock
    })
    await Promise.resolve()
    expect(third).toBe(false)
    second[Symbol.dispose]()
    using _third = await waiting
  })

  test('asks each holder once, even if many wait', async () => {
    const locks = new SessionLocks({ deadlineMs: 60_000 })
    const abort = vi.spyOn(AbortController.prototype, 'abort')
    const order: number[] = []
    const visit = async (visitor: number): Promise<void> => {
      using _lock = await locks.acquire('a')
      order.push(visitor)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const visitors = Array.from({ length: 100 }, (_, visitor) => visitor)
    await Promise.all(visitors.map(visit))
    expect(order).toEqual(visitors)
    expect(abort.mock.calls.length).toBeLessThan(visitors.length)
    abort.mockRestore()
  })

  test('passes over a hanging holder for each waiting request in turn', async () => {
    const locks = new SessionLocks({ deadlineMs: 1 })
    const hung = await locks.acquire('a')
    const [second, third] = await Promise.all([locks.acquire('a'), locks.acquire('a')])
    expect(second.letGo.reason).toBeInstanceOf(LetGo)
    hung[Symbol.dispose]()
    second[Symbol.dispose]()
    expect(third.letGo.aborted).toBe(false)
    using fourth = await locks.acquire('a')
    expect(third.letGo.reason).toBeInstanceOf(LetGo)
    third[Symbol.dispose]()
    expect(fourth.letGo.aborted).toBe(false)
  })

  test('keeps sessions apart', async () => {
    const locks = new SessionLocks({ deadlineMs: 60_000 })
    using a = await locks.acquire('a')
    using _b = await locks.acquire('b')
    expect(a.letGo.aborted).toBe(false)
  })
})
