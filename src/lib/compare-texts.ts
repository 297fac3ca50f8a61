/** Orders texts by code units, like `toSorted` without a function. For ASCII this is also the order of the databases. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
