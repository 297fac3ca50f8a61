/** Tests that the transactions of a holder near its ceiling run one at a time, also after one fails. */
import { expect, test } from 'vitest'
import { HolderLines, LineTooLong } from './holder-lines.ts'

/** Starts work that ends when the test ends it. */
function begin(lines: HolderLines, holder: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const work = { hasBegun: false, resolve, reject, ended: Promise.resolve() }
  work.ended = lines.run(holder, () => {
    work.hasBegun = true
    return promise
  })
  return work
}

/** Resolves when all work that could start has started. */
const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('work of a holder near its ceiling starts when the previous work has ended, with or without success', async () => {
  const lines = new HolderLines()
  lines.note('near', true)
  const [first, second, third] = [begin(lines, 'near'), begin(lines, 'near'), begin(lines, 'near')]
  const other = begin(lines, 'other')
  const begun = () => [first, second, third, other].map(({ hasBegun }) => hasBegun)
  await aTurn()
  expect(begun()).toEqual([true, false, false, true])
  first.reject(new Error('refused'))
  await expect(first.ended).rejects.toThrow('refused')
  await aTurn()
  expect(begun()).toEqual([true, true, false, true])
  second.resolve()
  await aTurn()
  expect(begun()).toEqual([true, true, true, true])
})

test('a holder that is far from its ceiling again works at once', async () => {
  const lines = new HolderLines()
  lines.note('holder', true)
  lines.note('holder', false)
  const works = [begin(lines, 'holder'), begin(lines, 'holder')]
  await aTurn()
  expect(works.map(({ hasBegun }) => hasBegun)).toEqual([true, true])
})

test('a queue accepts a thousand, and more when they are done', async () => {
  const lines = new HolderLines()
  lines.note('holder', true)
  const works = Array.from({ length: 1_000 }, () => begin(lines, 'holder'))
  await expect(begin(lines, 'holder').ended).rejects.toThrow(LineTooLong)
  for (const { resolve } of works) resolve()
  await Promise.all(works.map(({ ended }) => ended))
  const next = begin(lines, 'holder')
  await aTurn()
  expect(next.hasBegun).toBe(true)
})
