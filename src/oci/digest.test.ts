import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { algorithmOf, digestBytes, DigestInvalidError, encodedOf, formatDigest } from './digest.ts'
import { isSupportedDigest, parseDigest, parseDigestAlgorithm, parseSupportedDigest } from './digest.ts'

const specPattern = /^[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/
const hex64 = '0123456789abcdef'.repeat(4)
const hex128 = hex64 + hex64

// Includes lone surrogates.
const codeUnit = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit))

describe('parseDigest', () => {
  test.each([
    `sha256:${hex64}`,
    `sha512:${hex128}`,
    `blake3:${hex64}`,
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    'multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8',
    'sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564=',
    'a.b_c-d+e:x',
  ])('accepts %s', (text) => {
    expect(parseDigest(text)).toBe(text)
  })

  test.each([
    ['', 'it is empty'],
    ['latest', 'has no colon'],
    ['sha256:', 'sha256 needs 64 hexadecimal digits after the colon, this has 0'],
    ['sha256:baddigeststring', 'this has 15'],
    [`sha256:${hex64.slice(1)}`, 'this has 63'],
    [`sha256:${hex64}0`, 'this has 65'],
    [`sha256:${hex64.toUpperCase()}`, 'lower-case hexadecimal digits'],
    [`sha256:${hex64.slice(1)}g`, 'lower-case hexadecimal digits'],
    [`sha512:${hex64}`, 'sha512 needs 128'],
    [`blake3:${hex128}`, 'blake3 needs 64'],
    [`SHA256:${hex64}`, '"SHA256" is not a valid algorithm name'],
    [`:${hex64}`, 'is not a valid algorithm name'],
    ['a+:x', 'is not a valid algorithm name'],
    ['a++b:x', 'is not a valid algorithm name'],
    ['md5:', 'one or more letters'],
    ['md5:a:b', 'letters, digits, "=", "_" or "-"'],
    ['md5:a/../b', 'letters, digits, "=", "_" or "-"'],
    [`sha256:${hex64}\n`, 'this has 65'],
    ['md5:abc\n', 'letters, digits, "=", "_" or "-"'],
    [`x:${'a'.repeat(254)}`, 'longer than 255 characters'],
  ])('refuses %j: %s', (text, reason) => {
    expect(() => parseDigest(text)).toThrow(DigestInvalidError)
    expect(() => parseDigest(text)).toThrow(reason)
  })

  test('names code, digest and reason in the error', () => {
    expect(catchError(() => parseDigest('sha256:x'))).toMatchObject({
      name: 'DigestInvalidError',
      code: 'DIGEST_INVALID',
      detail: {
        digest: 'sha256:x',
        reason: 'sha256 needs 64 hexadecimal digits after the colon, this has 1',
      },
    })
  })

  test('limits the part of a huge text that the error repeats', () => {
    const error = catchError(() => parseDigest('a'.repeat(1_000_000)))
    expect(JSON.stringify(error.detail).length + error.message.length).toBeLessThan(1000)
  })

  test('throws only its own error, and accepts nothing outside the grammar', () => {
    const alphabet = fc.constantFrom(...'sha256512blake3:+._-=ABCzf0 /\\\n\0é'.split(''))
    const texts = fc.oneof(fc.string({ unit: codeUnit }), fc.string({ unit: alphabet }))
    fc.assert(
      fc.property(texts, (text) => {
        const outcome = attempt(() => parseDigest(text))
        const isTaken = outcome === text && specPattern.test(text)
        expect(isTaken || outcome instanceof DigestInvalidError).toBe(true)
      }),
    )
  })
})

describe('supported algorithms', () => {
  test('sha256 and sha512 are computed, blake3 and unknown ones are only passed on', () => {
    expect(isSupportedDigest(parseDigest(`sha256:${hex64}`))).toBe(true)
    expect(isSupportedDigest(parseDigest(`sha512:${hex128}`))).toBe(true)
    expect(isSupportedDigest(parseDigest(`blake3:${hex64}`))).toBe(false)
    expect(isSupportedDigest(parseDigest('constructor:x'))).toBe(false)
  })

  test('an algorithm that cannot be computed is refused with the list of those that can', () => {
    const message = 'this registry cannot compute "blake3"; use sha256 or sha512'
    expect(() => parseSupportedDigest(`blake3:${hex64}`)).toThrow(message)
    expect(() => algorithmOf(parseDigest(`blake3:${hex64}`))).toThrow(message)
    expect(() => parseDigestAlgorithm('blake3')).toThrow(message)
    expect(() => parseDigestAlgorithm('')).toThrow(DigestInvalidError)
    expect(parseDigestAlgorithm('sha512')).toBe('sha512')
    expect(parseSupportedDigest(`sha512:${hex128}`)).toBe(`sha512:${hex128}`)
  })
})

describe('digestBytes', () => {
  test('returns the well-known digests of empty content', () => {
    const nothing = new Uint8Array()
    expect(digestBytes(nothing)).toBe(
      'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
    expect(digestBytes(nothing, 'sha512')).toMatch(/^sha512:cf83e1357eefb8bd.{96}a538327af927da3e$/)
  })

  test('is read back, and put together again from its parts', () => {
    const algorithms = fc.constantFrom('sha256' as const, 'sha512' as const)
    fc.assert(
      fc.property(fc.uint8Array(), algorithms, (bytes, algorithm) => {
        const digest = digestBytes(bytes, algorithm)
        expect(parseSupportedDigest(digest)).toBe(digest)
        expect(algorithmOf(digest)).toBe(algorithm)
        expect(formatDigest(algorithm, encodedOf(digest))).toBe(digest)
      }),
    )
  })

  test('formatDigest refuses an invalid digest', () => {
    expect(() => formatDigest('sha256', 'ABC')).toThrow(DigestInvalidError)
  })
})

function attempt(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}

function catchError(action: () => unknown): DigestInvalidError {
  const outcome = attempt(action)
  if (outcome instanceof DigestInvalidError) return outcome
  throw new Error('expected a DigestInvalidError')
}
