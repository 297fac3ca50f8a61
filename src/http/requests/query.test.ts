import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RequestRefusedError } from '../errors.ts'
import { parseArtifactTypes, parseCursor, parsePageSize, parseQuery } from './query.ts'

const sizes = { fallback: 100, max: 1000 }

function attempt(n: string): number | undefined {
  try {
    return parsePageSize(parseQuery(`n=${encodeURIComponent(n.toWellFormed())}`), sizes)
  } catch (error) {
    if (error instanceof RequestRefusedError) return undefined
    throw error
  }
}

describe('n', () => {
  test.each([
    ['', 100],
    ['n=', 100],
    ['n=0', 0],
    ['n=1', 1],
    ['n=1000', 1000],
    ['n=1001', 1000],
    ['n=2147483648', 1000],
    ['n=99999999999999999999999', 1000],
    ['n=7&n=8', 7],
  ])('of ?%s asks for %i (A1)', (query, n) => {
    expect(parsePageSize(parseQuery(query), sizes)).toBe(n)
  })

  test.each(['n=-1', 'n=abc', 'n=1.5', 'n=1e3', 'n=0x10', 'n=%201', 'n=NaN', 'n=%D9%A1'])(
    'of ?%s is refused (A1)',
    (query) => {
      expect(() => parsePageSize(parseQuery(query), sizes)).toThrow(
        expect.objectContaining({ code: 'PAGINATION_NUMBER_INVALID' }),
      )
    },
  )

  test('is a count within bounds or refused, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const n = attempt(text) ?? 0
        expect(Number.isInteger(n) && n >= 0 && n <= sizes.max).toBe(true)
      }),
    )
  })
})

describe('cursor', () => {
  test('is absent, a number, or refused', () => {
    expect(parseCursor(parseQuery(''))).toBeUndefined()
    expect(parseCursor(parseQuery('cursor=17'))).toBe(17)
    for (const query of ['cursor=', 'cursor=-1', 'cursor=x', 'cursor=9999999999999999']) {
      expect(() => parseCursor(parseQuery(query))).toThrow(
        expect.objectContaining({ code: 'PAGINATION_NUMBER_INVALID' }),
      )
    }
  })
})

describe('artifactType', () => {
  test.each([
    ['', []],
    ['artifactType=', ['']],
    ['artifactType=application/a%2Bjson', ['application/a+json']],
    ['artifactType=application/a+json', ['application/a+json']],
    ['artifactType=a&artifactType=b', ['a', 'b']],
  ])('of ?%s filters by %j', (query, types) => {
    expect(parseArtifactTypes(parseQuery(query))).toEqual(types)
  })
})

describe('query', () => {
  test('holds no NUL, which databases refuse in texts', () => {
    expect(parseQuery('last=a%00b').get('last')).toBe('a\u{FFFD}b')
    fc.assert(
      fc.property(fc.string(), (text) => {
        const values = [...parseQuery(`last=${encodeURIComponent(text.toWellFormed())}`).values()]
        expect(values.join('')).not.toContain('\0')
      }),
    )
  })

  test('takes broken escapes as they are', () => {
    expect(parseQuery('last=%zz&n=%').get('last')).toBe('%zz')
  })
})
