/** Chooses which credentials of an account are removed when it has too many: those in use stay, however old they are. */

export interface Used {
  readonly id: number
  readonly usedAt: number
  /** Whether it has expired. */
  readonly isOver: boolean
}

/** Returns the ids beyond the `keep` that were used last; `newest` is always kept, and those that are over go first. */
export function findLeastUsed(
  all: readonly Used[],
  { keep, newest }: { readonly keep: number; readonly newest: number },
): number[] {
  const rank = (one: Used): number => {
    if (one.id === newest) return 0
    return one.isOver ? 2 : 1
  }
  const kept = all.toSorted((a, b) => rank(a) - rank(b) || b.usedAt - a.usedAt || b.id - a.id)
  return kept.slice(keep).map(({ id }) => id)
}
