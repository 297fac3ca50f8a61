/** Patterns as the database can serve them: ranges of names, and which of the names within them count. */
import { compareTexts } from '../../lib/compare-texts.ts'
import type { NameRange, NameSet } from '../../metadata/repositories/visible-repositories.ts'
import { compilePattern, isWholeBelow, literalPrefix } from './repository-pattern.ts'
import type { RepositoryPattern } from './repository-pattern.ts'

/** Patterns are compiled once; a name is compared with those alone that start as it does. */
export function createNameSet(patterns: readonly RepositoryPattern[]): NameSet {
  const unique = [...new Set(patterns)]
  const exact = new Set<string>(unique.filter((pattern) => !pattern.includes('*')))
  const open = Map.groupBy(
    unique.filter((pattern) => pattern.includes('*')),
    literalPrefix,
  )
  const matchers = new Map([...open].map(([literal, of]) => [literal, of.map(compilePattern)]))
  const lengths = [...new Set([...open.keys()].map((literal) => literal.length))]
  return {
    ranges: mergeRanges(unique.map(rangeOf)),
    whole: mergeRanges(unique.filter(isWhole).map(rangeOf)),
    has(name) {
      if (exact.has(name)) return true
      return lengths.some(
        (length) =>
          length <= name.length &&
          matchers.get(name.slice(0, length))?.some((matches) => matches(name)) === true,
      )
    },
  }
}

const known = new WeakMap<readonly RepositoryPattern[], NameSet>()

/** As `createNameSet`, once for each list: that of an access token is asked with each request. */
export function nameSetOf(patterns: readonly RepositoryPattern[]): NameSet {
  const found = known.get(patterns) ?? createNameSet(patterns)
  known.set(patterns, found)
  return found
}

function isWhole(pattern: RepositoryPattern): boolean {
  return !pattern.includes('*') || isWholeBelow(pattern, literalPrefix(pattern))
}

function rangeOf(pattern: RepositoryPattern): NameRange {
  // No character of a name comes before "-", so only the name itself lies in this range.
  if (!pattern.includes('*')) return { from: pattern, to: `${pattern} ` }
  const literal = literalPrefix(pattern)
  return { from: literal, to: endOfPrefix(literal) }
}

/** The first text after all that start with the prefix; all its characters are ASCII. */
function endOfPrefix(prefix: string): string | undefined {
  if (prefix === '') return undefined
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}

/** Sorted, without overlap: of two that have names in common, one lies within the other. */
function mergeRanges(ranges: readonly NameRange[]): readonly NameRange[] {
  const sorted = ranges.toSorted(
    (a, b) => compareTexts(a.from, b.from) || compareTexts(b.to ?? '~', a.to ?? '~'),
  )
  const merged: NameRange[] = []
  for (const range of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && (last.to === undefined || range.from < last.to)) continue
    merged.push(range)
  }
  return merged
}
