import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quote } from './quote.ts'

// Includes lone surrogates.
const codeUnit = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit))

describe('quote', () => {
  test.each([
    ['plain', '"plain"'],
    ['say "hi"\\', String.raw`"say \"hi\"\\"`],
    ['a\r\nb', String.raw`"a\r\nb"`],
    ['\u0085\u2028\u202e\u007f', String.raw`"\u0085\u2028\u202e\u007f"`],
    ['\u{e0001}', String.raw`"\udb40\udc01"`],
    ['\ud800', '"\ufffd"'],
    ['é漢🚢', '"é漢🚢"'],
  ])('writes %j as %s', (text, expected) => {
    expect(quote(text)).toBe(expected)
  })

  test('truncates a long text and gives its length', () => {
    expect(quote('x'.repeat(100_000))).toBe(`"${'x'.repeat(80)}"... (100000 characters)`)
  })

  test('E4: never starts a new line for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: codeUnit }), (text) => {
        expect(quote(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
    )
  })
})
