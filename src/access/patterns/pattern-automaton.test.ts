import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PatternAutomaton } from './pattern-automaton.ts'
import type { Characters } from './pattern-automaton.ts'
import { compilePattern } from './repository-pattern.ts'
import type { RepositoryPattern } from './repository-pattern.ts'

/** A slow, simple reference matcher: tries every split. */
function createReference(): { matches: (pattern: string, name: string) => boolean } {
  const matchesText = (pattern: string, text: string): boolean => {
    if (pattern === '') return text === ''
    if (pattern[0] !== '*') return pattern[0] === text[0] && matchesText(pattern.slice(1), text.slice(1))
    return matchesText(pattern.slice(1), text) || (text !== '' && matchesText(pattern, text.slice(1)))
  }
  const matchesAll = (pattern: readonly string[], name: readonly string[]): boolean => {
    const [first, ...rest] = pattern
    const [text, ...others] = name
    if (first === undefined) return text === undefined
    if (first !== '**') return text !== undefined && matchesText(first, text) && matchesAll(rest, others)
    if (rest.length > 0 && matchesAll(rest, name)) return true
    if (text === undefined) return false
    return matchesAll(pattern, others) || (rest.length === 0 && others.length === 0)
  }
  return { matches: (pattern, name) => matchesAll(pattern.split('/'), name.split('/')) }
}

/** A string that counts how often its characters are read. */
function countReads(text: string): Characters & { readonly reads: number } {
  let reads = 0
  return {
    length: text.length,
    charCodeAt(index) {
      reads += 1
      return text.charCodeAt(index)
    },
    get reads() {
      return reads
    },
  }
}

const component = fc.stringMatching(/^[ab]{1,4}$/)
const wild = fc.stringMatching(/^[ab*]{1,6}$/).filter((text) => !text.includes('**'))
const names = fc.array(component, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'))
const patterns = fc
  .array(fc.oneof(component, fc.constant('**'), wild), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'))

describe('the automaton of a pattern', () => {
  test('matches the same as trying every split', () => {
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        const expected = createReference().matches(pattern, name)
        expect(compilePattern(pattern as RepositoryPattern)(name)).toBe(expected)
      }),
      { numRuns: 5000 },
    )
  })

  test('matches across the borders of its words', () => {
    const part = fc.oneof(
      fc.constant('*'),
      fc.constant('b'.repeat(31)),
      fc.constant('b'.repeat(32)),
      component,
    )
    const long = fc
      .array(fc.oneof(part, fc.constant('**')), { minLength: 3, maxLength: 6 })
      .map((parts) => parts.join('/'))
    const longNames = fc
      .array(fc.oneof(component, fc.constant('b'.repeat(31)), fc.constant('b'.repeat(32))), {
        minLength: 1,
        maxLength: 7,
      })
      .map((parts) => parts.join('/'))
    fc.assert(
      fc.property(long, longNames, (pattern, name) => {
        const expected = createReference().matches(pattern, name)
        expect(compilePattern(pattern as RepositoryPattern)(name)).toBe(expected)
      }),
      { numRuns: 3000 },
    )
  })

  test('reads each character at most once, and uses one word per 32 characters of the pattern', () => {
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        const automaton = new PatternAutomaton(pattern.replaceAll(/\*\*(?:\/\*\*)+/g, '**'))
        const text = countReads(name)
        automaton.matches(text)
        expect(text.reads).toBeLessThanOrEqual(name.length)
        expect(automaton.words).toBeLessThanOrEqual(Math.ceil((pattern.length + 2) / 32))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    [`*${'a'.repeat(200)}b`, 'a'.repeat(250)],
    [`${'a*'.repeat(100)}b`, 'a'.repeat(250)],
    [`${'**/a/'.repeat(45)}b`, Array.from({ length: 125 }, () => 'a').join('/')],
    [`**/${'*a/'.repeat(60)}b`, Array.from({ length: 125 }, () => 'a').join('/')],
  ])('A6: %s costs no more for a name that almost fits', (pattern, name) => {
    const automaton = new PatternAutomaton(pattern)
    const text = countReads(name)
    expect(automaton.matches(text)).toBe(false)
    expect(text.reads * automaton.words).toBeLessThanOrEqual(
      name.length * Math.ceil((pattern.length + 2) / 32),
    )
  })

  test('knows only the characters of names', () => {
    expect(new PatternAutomaton('a*').matches('aé')).toBe(true)
    expect(new PatternAutomaton('a').matches('é')).toBe(false)
  })
})
