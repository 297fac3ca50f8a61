import { quote } from '../quote.ts'
import { fail } from './fields.ts'
import type { Located } from './fields.ts'

/** Names with a meaning, keyed by their case-folded form. */
export type KnownNames = ReadonlyMap<string, string>

export function createKnownNames(names: readonly string[]): KnownNames {
  return new Map(names.map((name) => [foldCase(name), name]))
}

/**
 * Refuses `Layers` in addition to or instead of `layers`: Go's decoder treats the two as one name, so two readers could see two
 * different manifests.
 */
export function refuseCaseVariants(at: Located, names: KnownNames): void {
  for (const name of Object.keys(at.object)) {
    const known = names.get(foldCase(name))
    if (known !== undefined && known !== name) {
      fail(
        at,
        name,
        `differs from ${quote(known)} only in case, and some clients treat the two as one; rename it`,
      )
    }
  }
}

/** Go folds two letters outside ASCII as well: the Kelvin sign (done by `toLowerCase`) and the long s. */
function foldCase(name: string): string {
  return name.toLowerCase().replaceAll('\u017f', 's')
}
