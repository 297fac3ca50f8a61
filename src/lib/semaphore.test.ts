import { describe, expect, test } from 'vitest'
import { Semaphore, SemaphoreFull } from './semaphore.ts'

describe('Semaphore', () => {
  test('runs one at a time in the order of arrival', async () => {
    const semaphore = new Semaphore({ slots: 1, maxWaiting: 10 })
    const log: string[] = []
    let running = 0
    const work = (name: string) =>
      semaphore.run(async () => {
        running += 1
        expect(running).toBe(1)
        await Promise.resolve()
        log.push(name)
        running -= 1
      })
    await Promise.all(['a', 'b', 'c'].map(work))
    expect(log).toEqual(['a', 'b', 'c'])
  })

  test('refuses at once who would be one too many, and takes others later', async () => {
    const semaphore = new Semaphore({ slots: 1, maxWaiting: 1 })
    const gate = Promise.withResolvers<void>()
    const first = semaphore.run(() => gate.promise)
    const second = semaphore.run(() => Promise.resolve('second'))
    await expect(semaphore.run(() => Promise.resolve())).rejects.toBeInstanceOf(SemaphoreFull)
    expect(semaphore.waiting).toBe(1)
    gate.resolve()
    await first
    expect(await second).toBe('second')
    expect(await semaphore.run(() => Promise.resolve('third'))).toBe('third')
  })

  test('goes on after work that failed', async () => {
    const semaphore = new Semaphore({ slots: 1, maxWaiting: 1 })
    await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await semaphore.run(() => Promise.resolve(1))).toBe(1)
  })
})
