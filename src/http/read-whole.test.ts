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
