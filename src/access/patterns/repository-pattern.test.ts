import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compilePattern,
  coversOwner,
  parseRepositoryPattern,
  patternBelow,
  PatternInvalidError,
  formatPatternBelow,
  parsePatternBelow,
} from './repository-pattern.ts'
import { createNameSet } from './name-set.ts'
import { overlaps } from './pattern-overlap.ts'

/** A slow, simple reference matcher that uses a regular expression. */
function naive(pattern: string): RegExp {
  const parts = pattern.split('/').map((component, index, all) => {
    if (component !== '**') return component.replaceAll(/[.*]/g, (found) => (found === '*' ? '[^/]*' : '\\.'))
    return index === all.length - 1 ? '[^/]+(?:/[^/]+)*' : '**'
  })
  return new RegExp(`^${parts.join('/').replaceAll('**/', '(?:[^/]+/)*')}$`)
}

const component = fc.stringMatching(/^[ab]{1,3}$/)
const names = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))
const patterns = fc
  .array(fc.oneof(component, fc.constant('**'), fc.stringMatching(/^[ab]{0,2}\*[ab]{0,2}$/)), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parseRepositoryPattern(parts.join('/')))

describe('a pattern', () => {
  test.each([
    ['acme/**', 'acme/web', true],
    ['acme/**', 'acme/web/app', true],
    ['acme/**', 'acme', false],
    ['acme/**', 'acme-2/web', false],
    ['acme/web/**', 'acme/web', false],
    ['acme/web/**', 'acme/web/app', true],
    ['acme/web/**', 'acme/website/app', false],
    ['acme/web', 'acme/web', true],
    ['acme/web', 'acme/web2', false],
    ['acme/web/*', 'acme/web/app', true],
    ['acme/web/*', 'acme/web/app/more', false],
    ['acme/*-test', 'acme/web-test', true],
    ['acme/*-test', 'acme/web-test-2', false],
    ['acme/**/test', 'acme/test', true],
    ['acme/**/test', 'acme/a/b/test', true],
    ['**', 'acme/web', true],
    ['*/web', 'acme/web', true],
  ])('B8, B9: %s and %s: %s', (pattern, name, expected) => {
    expect(compilePattern(parseRepositoryPattern(pattern))(name)).toBe(expected)
  })

  test('B9: the wildcards of databases and regular expressions are literal', () => {
    const matches = compilePattern(parseRepositoryPattern('a_b/c.d*'))
    expect(['a_b/c.dx', 'axb/c.dx', 'a_b/cxdx'].map(matches)).toEqual([true, false, false])
  })

  test.each([
    ['', 'it is empty'],
    ['acme//web', 'empty component'],
    ['/acme', 'empty component'],
    ['acme/**b', '** beside other characters'],
    ['acme/%', 'characters that no repository name has'],
    ['acme/[ab]', 'characters that no repository name has'],
    ['acme/web?', 'characters that no repository name has'],
    ['Acme/web', 'characters that no repository name has'],
    [`acme/${'a'.repeat(300)}`, 'at most 255'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseRepositoryPattern(text)).toThrow(PatternInvalidError)
    expect(() => parseRepositoryPattern(text)).toThrow(reason)
  })

  test('matches like the plain expression', () => {
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        expect(compilePattern(pattern)(name)).toBe(naive(pattern).test(name))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([`acme/${'a*'.repeat(33)}`, `${'**/a/'.repeat(33)}b`])(
    'refuses too many wildcards: %s',
    (text) => {
      expect(() => parseRepositoryPattern(text)).toThrow('it has 33 wildcards, at most 32 are allowed')
    },
  )

  test('below an owner means all or a part, without the name of the owner', () => {
    for (const text of ['**', 'web/**', 'acme-web/*', '*/web', 'acme*']) {
      expect(parsePatternBelow('acme', text)).toBe(text)
      expect(formatPatternBelow('acme', text)).toBe(text)
    }
    expect(() => parsePatternBelow('acme', '')).toThrow('it is empty')
  })

  test.each([
    ['acme/web/**', 'write web/** for acme/web/**, or ./acme/web/** for acme/acme/web/**'],
    ['acme', 'write ** for acme/**, or ./acme for acme/acme'],
    ['acme/**', 'write ** for acme/**, or ./acme/** for acme/acme/**'],
  ])('below acme is refused as %s, with both spellings', (text, hint) => {
    expect(() => parsePatternBelow('acme', text)).toThrow(hint)
    expect(parsePatternBelow('acme', `./${text}`)).toBe(text)
    expect(formatPatternBelow('acme', text)).toBe(`./${text}`)
  })

  test('reports whether it covers all of an owner', () => {
    const covering = ['**', 'acme/**', '*/**', 'ac*/**', '**/**'].map(parseRepositoryPattern)
    expect(covering.map((pattern) => coversOwner(pattern, 'acme'))).toEqual(covering.map(() => true))
    const partial = ['acme', 'acme/*', 'acme/web/**', 'other/**', '**/web'].map(parseRepositoryPattern)
    expect(partial.map((pattern) => coversOwner(pattern, 'acme'))).toEqual(partial.map(() => false))
  })
})

describe('two patterns', () => {
  test.each([
    ['acme/**', 'acme/web/*', true],
    ['acme/web', 'acme/*', true],
    ['acme/web/**', 'acme/web', false],
    ['acme/*-test', 'acme/web*', true],
    ['acme/*-test', 'acme/*-prod', false],
    ['acme/**/a', 'acme/b/**', true],
    ['acme/**', 'other/**', false],
  ])('%s and %s have a name in common: %s', (a, b, expected) => {
    const [one, other] = [parseRepositoryPattern(a), parseRepositoryPattern(b)]
    expect([overlaps(one, other), overlaps(other, one)]).toEqual([expected, expected])
  })

  test('overlap if both match a name', () => {
    fc.assert(
      fc.property(patterns, patterns, names, (a, b, name) => {
        fc.pre(compilePattern(a)(name) && compilePattern(b)(name))
        expect(overlaps(a, b)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a set of names', () => {
  test('has the names that a pattern matches within the ranges, and all names of whole ranges', () => {
    const sets = fc.array(
      patterns.map((pattern) => patternBelow('acme', pattern)),
      { maxLength: 4 },
    )
    const below = names.map((name) => `acme/${name}`)
    fc.assert(
      fc.property(sets, below, (list, name) => {
        const set = createNameSet(list)
        const expected = list.some((pattern) => naive(pattern).test(name))
        const lies = ({ from, to }: { from: string; to: string | undefined }) =>
          name >= from && (to === undefined || name < to)
        expect(set.has(name)).toBe(expected)
        expect(expected ? set.ranges.filter(lies).length : 1).toBe(1)
        expect(set.whole.some(lies) && !expected).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  test('has ranges in order that do not overlap', () => {
    const { ranges, whole } = createNameSet(
      ['acme/web/app', 'acme/*-test', 'acme/web/**', 'beta/a', 'acme/web'].map(parseRepositoryPattern),
    )
    expect(ranges).toEqual([
      { from: 'acme/', to: 'acme0' },
      { from: 'beta/a', to: 'beta/a ' },
    ])
    expect(whole).toEqual([
      { from: 'acme/web', to: 'acme/web ' },
      { from: 'acme/web/', to: 'acme/web0' },
      { from: 'beta/a', to: 'beta/a ' },
    ])
  })
})
