import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { forEachAtOnce } from './backup-place.ts'

/** Yields items; the source fails after `count` of them. */
function* itemsUntil(count: number): Generator<number> {
  for (let item = 0; item < count; item++) yield item
  throw new Error('the source is damaged')
}

test.each([
  ['its source', 2, () => Promise.resolve()],
  [
    'one of the others',
    100,
    (item: number) => item === 1 && Promise.reject(new Error('the source is damaged')),
  ],
])('work that was begun has ended when %s fails', async (_, count, finish) => {
  const gate = Promise.withResolvers<void>()
  const ended: number[] = []
  const all = forEachAtOnce(itemsUntil(count), 3, async (item) => {
    if (item === 0) await gate.promise
    await finish(item)
    ended.push(item)
  })
  let isOver = false
  const over = all.finally(() => (isOver = true))
  over.catch(() => undefined)
  await turn()
  expect(isOver).toBe(false)
  gate.resolve()
  await expect(over).rejects.toThrow('the source is damaged')
  expect(ended).toContain(0)
})
