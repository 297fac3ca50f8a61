/** Formats counts in messages: "1 blob", "2 blobs". */

/** Pass `many` for a plural that does not just add an "s". */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
