/** Finds suggestions for mistyped names ("did you mean"). */

/** Returns the candidate with the fewest edits from `word`, or `undefined` if none is close enough. */
export function findClosest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(2, Math.floor(word.length / 3))
  let closest: string | undefined
  let fewest = limit + 1
  for (const candidate of candidates) {
    const edits = countEdits(word, candidate)
    if (edits < fewest) {
      fewest = edits
      closest = candidate
    }
  }
  return closest
}

/** Returns the Levenshtein distance, computed one row of the table at a time. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
