/** Rows per INSERT. Full chunks share one statement, and the number of parameters stays far below every driver's limit. */
const rowsPerInsert = 100

export function* chunks<T>(items: readonly T[], size: number = rowsPerInsert): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}
