/** Converts patterns to a form that the database can search: ranges of names, and a filter for the names within them. */
import { compareTexts } from '../../lib/compare-texts.ts'
import type { NameRange, NameSet } from '../../metadata/repositories/visible-repositories.ts'
import { compilePattern, isWholeBelow, literalPrefix } from './repository-pattern.ts'
import type { RepositoryPattern } from './repository-pattern.ts'

/** Compiles the patterns once; a name is compared only with patterns that share its beginning. */
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

/** Like `createNameSet`, but cached by list: an access token's list is used by every request. */
export function nameSetOf(patterns: readonly RepositoryPattern[]): NameSet {
  const found = known.get(patterns) ?? createNameSet(patterns)
  known.set(patterns, found)
  return found
}

function isWhole(pattern: RepositoryPattern): boolean {
  return !pattern.includes('*') || isWholeBelow(pattern, literalPrefix(pattern))
}

function rangeOf(pattern: RepositoryPattern): NameRange {
  // No character of a name sorts before "-", so only the name itself is in this range.
  if (!pattern.includes('*')) return { from: pattern, to: `${pattern} ` }
  const literal = literalPrefix(pattern)
  return { from: literal, to: endOfPrefix(literal) }
}

/** Returns the first text that sorts after all texts with the prefix, which is ASCII. */
function endOfPrefix(prefix: string): string | undefined {
  if (prefix === '') return undefined
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}

/** Returns the ranges sorted and without overlap: if two of them share names, one contains the other. */
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
