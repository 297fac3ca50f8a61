/** The reasons for differences: a pattern of the difference, and the sentence that decides it. */
import type { Difference } from './compare.ts'
import { generalise, shorten } from './describe.ts'

export interface Case {
  readonly aspect: string
  /** The value as the document shows it: the whole text, or a pattern. */
  readonly theirs: string | RegExp
  readonly ours: string | RegExp
  /** A pattern of `<script>: <request>`. */
  readonly in?: RegExp
  /** Returns whether the two values have the expected relation. */
  readonly holds?: (theirs: string, ours: string) => boolean
}

export interface Reason {
  readonly title: string
  /** The section of the specification, or a note that it leaves the matter to the registry. */
  readonly source: string
  /** The deciding sentence, quoted if it is from elsewhere, and its consequence. */
  readonly text: string
  readonly cases: readonly Case[]
}

export interface Chapter {
  readonly title: string
  readonly reasons: readonly Reason[]
}

export function show(value: string): string {
  return shorten(generalise(value))
}

export function explains(one: Case, { script, request, aspect, theirs, ours }: Difference): boolean {
  return (
    one.aspect === aspect &&
    (one.in?.test(`${script}: ${request}`) ?? true) &&
    fits(one.theirs, show(theirs)) &&
    fits(one.ours, show(ours)) &&
    (one.holds?.(theirs, ours) ?? true)
  )
}

function fits(wanted: string | RegExp, value: string): boolean {
  return typeof wanted === 'string' ? wanted === value : wanted.test(value)
}

/** Returns a case for the same pair of responses to several requests. */
export function answers(theirs: string, ours: string, requests: RegExp): Case {
  return { aspect: 'answer', theirs, ours, in: requests }
}

export function header(name: string, theirs: string, ours: string, requests?: RegExp): Case {
  return { aspect: name, theirs, ours, ...(requests !== undefined && { in: requests }) }
}
