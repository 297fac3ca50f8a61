import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DigestInvalidError } from './digest.ts'
import { formatReference, parseReference } from './reference.ts'
import { isTagName, parseTagName, TagInvalidError } from './tag-name.ts'

const digest = `sha256:${'0a'.repeat(32)}`

// Includes lone surrogates.
const codeUnit = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit))

describe('parseTagName', () => {
  test.each(['latest', 'LATEST', '_', '1.2.3-rc_1', 'a'.repeat(128), 'a..b', 'a-'])('accepts %s', (text) => {
    expect(parseTagName(text)).toBe(text)
    expect(isTagName(text)).toBe(true)
  })

  test.each([
    ['', 'it is empty'],
    ['.INVALID_MANIFEST_NAME', 'starts with "." or "-"'],
    ['-rf', 'starts with "." or "-"'],
    ['a'.repeat(129), 'it has 129 characters, at most 128'],
    ['a b', 'may hold letters'],
    ['a/b', 'may hold letters'],
    ['a:b', 'may hold letters'],
    ['a\n', 'may hold letters'],
    ['é', 'may hold letters'],
  ])('refuses %j: %s', (text, reason) => {
    expect(() => parseTagName(text)).toThrow(TagInvalidError)
    expect(() => parseTagName(text)).toThrow(reason)
    expect(isTagName(text)).toBe(false)
  })
})

describe('parseReference', () => {
  test('is a digest with a colon and a tag without', () => {
    expect(parseReference(digest)).toEqual({ kind: 'digest', digest })
    expect(parseReference('v1')).toEqual({ kind: 'tag', tag: 'v1' })
    expect(parseReference('sha256-0a0a')).toEqual({ kind: 'tag', tag: 'sha256-0a0a' })
  })

  test('names the fault for each kind', () => {
    expect(() => parseReference('sha256:baddigeststring')).toThrow(DigestInvalidError)
    expect(() => parseReference('.bad')).toThrow(TagInvalidError)
    expect(() => parseReference('')).toThrow(TagInvalidError)
  })

  test('is written back unchanged, and throws only the two errors', () => {
    const tags = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/)
    const texts = fc.oneof(fc.string({ unit: codeUnit }), tags, fc.constantFrom(digest))
    fc.assert(
      fc.property(texts, (text) => {
        expect([text, TagInvalidError, DigestInvalidError]).toContain(roundTrip(text))
      }),
    )
  })
})

/** Returns the parsed and formatted text, or the class of the error. */
function roundTrip(text: string): unknown {
  try {
    return formatReference(parseReference(text))
  } catch (error) {
    return error instanceof Error ? error.constructor : error
  }
}
