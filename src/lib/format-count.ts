/** Numbers of things in messages: "1 blob", "2 blobs". */

/** `many` is for plurals that do not end in a mere "s". */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
