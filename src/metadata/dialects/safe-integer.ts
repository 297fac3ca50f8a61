/** Counts, sizes and times come as text from PostgreSQL; all of them are safe integers here. Throws `RangeError`. */
export function parseSafeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is not a safe integer`)
  return value
}

/** The types that PostgreSQL gives to columns, counts (int8) and sums (numeric), by object id. */
export const integerTypeIds: readonly number[] = [20, 1700]
