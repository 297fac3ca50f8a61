/** Parses a count, size or time that PostgreSQL returns as text. Throws `RangeError` if it is not a safe integer. */
export function parseSafeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is not a safe integer`)
  return value
}

/** The OIDs of the PostgreSQL types that hold integer columns and counts (int8) and sums (numeric). */
export const integerTypeIds: readonly number[] = [20, 1700]
