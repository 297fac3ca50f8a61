/** Orders texts by their code units, as `toSorted` without a function does. For ASCII that is the order of databases. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
