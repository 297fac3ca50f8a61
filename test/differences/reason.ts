/** The reasons for differences: patterns that match a difference, and the text that justifies it. */
import type { Difference } from './compare.ts'
import { generalise, shorten } from './describe.ts'

export interface Case {
  readonly aspect: string
  /** The value as the document shows it: the whole text, or a pattern. */
  readonly theirs: string | RegExp
  readonly ours: string | RegExp
  /** A pattern for `<script>: <request>`. */
  readonly in?: RegExp
  /** Whether the two values have the expected relation. */
  readonly holds?: (theirs: string, ours: string) => boolean
}

export interface Reason {
  readonly title: string
  /** The specification and its section, or `Our choice` if the specification leaves the choice open. */
  readonly source: string
  /** The deciding sentence, in quotation marks if it is from a specification, and its consequence. */
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

/** Matches the same pair of replies to several requests. */
export function answers(theirs: string, ours: string, requests: RegExp): Case {
  return { aspect: 'answer', theirs, ours, in: requests }
}

export function header(name: string, theirs: string, ours: string, requests?: RegExp): Case {
  return { aspect: name, theirs, ours, ...(requests !== undefined && { in: requests }) }
}
