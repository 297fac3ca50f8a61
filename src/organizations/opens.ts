/** Tells which changes of visibility give access. */
import type { Visibility } from '../metadata/owners/schema.ts'

const byOpenness: readonly Visibility[] = ['private', 'internal', 'public']

/** Returns whether the change makes anything visible to callers from whom it was hidden. */
export function opens(before: Visibility, after: Visibility): boolean {
  return byOpenness.indexOf(after) > byOpenness.indexOf(before)
}
