/** Patterns as the database can serve them: ranges of names, and which of the names within them count. */
import type { NameRange, NameSet } from '../../metadata/visible-repositories.ts'
import { compilePattern, isWholeBelow } from '../repository-pattern.ts'
import type { RepositoryPattern } from '../repository-pattern.ts'

export function createNameSet(patterns: readonly RepositoryPattern[]): NameSet {
  const unique = [...new Set(patterns)]
  const open = unique.filter((pattern) => pattern.includes('*'))
  const exact = new Set<string>(unique.filter((pattern) => !pattern.includes('*')))
  const byOwner = Map.groupBy(open, literalOwner)
  const matchers = new Map([...byOwner].map(([owner, of]) => [owner, of.map(compilePattern)]))
  const anywhere = matchers.get('') ?? []
  return {
    ranges: mergeRanges(unique.map(rangeOf)),
    whole: mergeRanges(unique.filter(isWhole).map(rangeOf)),
    has(name) {
      if (exact.has(name)) return true
      const below = matchers.get(name.slice(0, name.indexOf('/')))
      return below?.some((matches) => matches(name)) === true || anywhere.some((matches) => matches(name))
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

/** Empty where the owner is left open. */
function literalOwner(pattern: string): string {
  const owner = pattern.slice(0, pattern.indexOf('/'))
  return pattern.includes('/') && !owner.includes('*') ? owner : ''
}

function isWhole(pattern: RepositoryPattern): boolean {
  const star = pattern.indexOf('*')
  return star === -1 || isWholeBelow(pattern, pattern.slice(0, star))
}

function rangeOf(pattern: RepositoryPattern): NameRange {
  const star = pattern.indexOf('*')
  // No character of a name comes before "-", so only the name itself lies in this range.
  if (star === -1) return { from: pattern, to: `${pattern} ` }
  const literal = pattern.slice(0, star)
  return { from: literal, to: endOfPrefix(literal) }
}

/** The first text after all that start with the prefix; all its characters are ASCII. */
function endOfPrefix(prefix: string): string | undefined {
  if (prefix === '') return undefined
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}

/** Sorted, without overlap: of two that have names in common, one lies within the other. */
function mergeRanges(ranges: readonly NameRange[]): readonly NameRange[] {
  const sorted = ranges.toSorted((a, b) => compare(a.from, b.from) || compare(b.to ?? '~', a.to ?? '~'))
  const merged: NameRange[] = []
  for (const range of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && (last.to === undefined || range.from < last.to)) continue
    merged.push(range)
  }
  return merged
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
