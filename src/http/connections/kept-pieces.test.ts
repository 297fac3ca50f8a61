import { expect, test } from 'vitest'
import { KeptPieces, largePieceBytes } from './kept-pieces.ts'

function takeAll(kept: KeptPieces): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let piece = kept.take(); piece !== undefined; piece = kept.take()) pieces.push(piece)
  return pieces
}

test('joins small pieces, and keeps their order among large ones', () => {
  const kept = new KeptPieces()
  const large = Buffer.alloc(largePieceBytes, 'L')
  const sent: Buffer[] = []
  for (let i = 0; i < 50_000; i++) sent.push(i % 20_000 === 19_999 ? large : Buffer.from([i % 251]))
  for (const piece of sent) kept.keep(piece)
  expect(kept.bytes).toBe(Buffer.concat(sent).length)
  const pieces = takeAll(kept)
  expect(pieces.length).toBeLessThan(12)
  expect(Buffer.concat(pieces).equals(Buffer.concat(sent))).toBe(true)
  expect(kept.bytes).toBe(0)
})

test('hands a large piece, and a small one that is alone, on as it is', () => {
  const kept = new KeptPieces()
  const [large, small] = [Buffer.alloc(largePieceBytes), Buffer.from('small')]
  kept.keep(large)
  kept.keep(small)
  expect(kept.take()).toBe(large)
  expect(kept.take()).toBe(small)
  expect(kept.take()).toBeUndefined()
})

test('goes on after a take', () => {
  const kept = new KeptPieces()
  for (const text of ['a', 'b']) kept.keep(Buffer.from(text))
  expect(Buffer.from(kept.take() ?? []).toString()).toBe('ab')
  for (const text of ['c', 'd']) kept.keep(Buffer.from(text))
  expect(Buffer.from(kept.take() ?? []).toString()).toBe('cd')
})
