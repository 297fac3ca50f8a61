/** Which changes of visibility give access. */
import type { Visibility } from '../metadata/owners/schema.ts'

const byOpenness: readonly Visibility[] = ['private', 'internal', 'public']

/** Returns whether the change lets anybody see what was hidden from them before. */
export function opens(before: Visibility, after: Visibility): boolean {
  return byOpenness.indexOf(after) > byOpenness.indexOf(before)
}
