import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NameInvalidError, ownerOf, parseRepositoryName } from './repository-name.ts'

const specPattern = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/

// Includes lone surrogates.
const codeUnit = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit))

describe('parseRepositoryName', () => {
  test.each([
    'library/hello',
    'a/b/c/d/e/f',
    '0/1',
    'my-team/web.app',
    'a__b/c---d',
    'a/v2/blobs/uploads/manifests/tags/list',
    'apis/x',
    'team/api',
    `a/${'b'.repeat(253)}`,
  ])('accepts %s', (text) => {
    expect(parseRepositoryName(text)).toBe(text)
  })

  test.each([
    ['', 'it is empty; write <owner>/<image>, for example library/hello'],
    ['hello', 'it has no owner; write <owner>/<image>, for example library/hello'],
    [`a/${'b'.repeat(254)}`, 'it has 256 characters, at most 255 are allowed'],
    ['A/b', '"A" has upper-case letters; write it in lower case'],
    ['a//b', 'empty component'],
    ['/a/b', 'empty component'],
    ['a/b/', 'empty component'],
    ['a/.b', '".b" may hold'],
    ['a/..', '".." may hold'],
    ['../etc/passwd', '".." may hold'],
    ['a/b-', '"b-" may hold'],
    ['a/b___c', '"b___c" may hold'],
    ['a/b.-c', '"b.-c" may hold'],
    ['a/b:5', '"b:5" may hold'],
    ['a/b\\c', 'may hold'],
    ['a/b\n', 'may hold'],
    ['a/b\0', 'may hold'],
    ['a/%2f', 'may hold'],
    ['a/bé', 'may hold'],
  ])('B7: refuses %j: %s', (text, reason) => {
    expect(() => parseRepositoryName(text)).toThrow(NameInvalidError)
    expect(() => parseRepositoryName(text)).toThrow(reason)
  })

  test.each(['api', 'v2', 'assets', 'healthz', 'readyz', 'metrics'])('reserves the owner %s', (owner) => {
    expect(() => parseRepositoryName(`${owner}/x`)).toThrow(
      `the owner name "${owner}" is reserved for paths of this server; choose another one`,
    )
  })

  test('B9: accepts only the underscore of the metacharacters of LIKE and glob', () => {
    for (const character of ['%', '*', '[', ']', '?', '\\']) {
      expect(() => parseRepositoryName(`a/b${character}c`)).toThrow(NameInvalidError)
    }
    expect(parseRepositoryName('a/b_c')).toBe('a/b_c')
  })

  test('A6: is fast for texts that make a regular expression backtrack', () => {
    for (const text of ['a/' + 'a-'.repeat(126), 'a/' + 'a__'.repeat(84), 'a'.repeat(1_000_000) + '!']) {
      expect(() => parseRepositoryName(text)).toThrow(NameInvalidError)
    }
  })

  test('agrees with the pattern of the spec, and throws only its own error', () => {
    const alphabet = fc.constantFrom(...'ab0._-/A'.split(''))
    const texts = fc.oneof(
      fc.string({ unit: codeUnit }),
      fc.string({ unit: alphabet }),
      fc.stringMatching(specPattern),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const isTaken = take(text)
        const isInSpec = specPattern.test(text) && text.length <= 255
        const isOurs = text.includes('/') && !/^(?:api|v2|assets|healthz|readyz|metrics)\//.test(text)
        expect(isTaken).toBe(isInSpec && isOurs)
      }),
    )
  })
})

describe('ownerOf', () => {
  test('is the first component', () => {
    expect(ownerOf(parseRepositoryName('my-team/web/app'))).toBe('my-team')
  })
})

function take(text: string): boolean {
  try {
    return parseRepositoryName(text) === text
  } catch (error) {
    if (error instanceof NameInvalidError) return false
    throw error
  }
}
