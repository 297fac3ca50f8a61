import { expect, test } from 'vitest'
import { runAtOnce } from '../../../test/support/content/read-at-once.ts'
import { runInTurns, type Steps } from './steps.ts'
import { Loop, Turns } from './turns.ts'

function* countTo(end: number, onPiece: () => void): Steps<number> {
  for (let count = 1; count <= end; count += 1) {
    onPiece()
    if (count < end) yield
  }
  return end
}

test('runs all pieces at once if nothing else waits', () => {
  let pieces = 0
  expect(runAtOnce(countTo(5, () => (pieces += 1)))).toBe(5)
  expect(pieces).toBe(5)
})

test('runs one piece per turn for any number of works', async () => {
  const loop = new Loop()
  const piecesOfTurns = new Map<number, number>()
  const note = (): void => void piecesOfTurns.set(loop.turns, (piecesOfTurns.get(loop.turns) ?? 0) + 1)
  const works = Array.from({ length: 10 }, () => runInTurns(countTo(4, note), new Turns({ loop })))
  expect(await Promise.all(works)).toEqual(Array.from({ length: 10 }, () => 4))
  // The first pieces run before the first turn, in the calls themselves.
  piecesOfTurns.delete(0)
  expect([...piecesOfTurns.values()]).toEqual(Array.from({ length: 30 }, () => 1))
})
