import { expect, test } from 'vitest'
import { readWhole } from './read-whole.ts'

async function* inPieces(...texts: string[]): AsyncGenerator<Uint8Array, void> {
  for (const text of texts) yield Buffer.from(text)
}

test.each([
  ['no piece', [], undefined],
  ['no piece, announced', [], 0],
  ['one piece', ['abc'], undefined],
  ['one piece, announced', ['abc'], 3],
  ['pieces', ['ab', 'c', 'def'], undefined],
  ['pieces, announced', ['ab', 'c', 'def'], 6],
  ['fewer bytes than announced', ['ab', 'c'], 6],
])('reads a body of %s', async (_, texts, announced) => {
  const whole = await readWhole(inPieces(...texts), announced)
  expect(Buffer.from(whole).toString()).toBe(texts.join(''))
})

/** Yields each byte in the same buffer, so that a reader that keeps pieces finds them overwritten. */
async function* byBytes(text: string): AsyncGenerator<Uint8Array, void> {
  const [first = '', ...rest] = text
  yield Buffer.from(first)
  const piece = Buffer.alloc(1)
  for (const letter of rest) {
    piece.write(letter)
    yield piece
  }
}

test('keeps no piece of a body that is not announced, since each may hold one byte only', async () => {
  const text = 'abcdefghij'.repeat(2_000)
  const whole = await readWhole(byBytes(text), undefined)
  expect(Buffer.from(whole).toString()).toBe(text)
})
