/** Finds the differences between two responses to the same request. */
import type { Normalised } from './normalise.ts'

export interface Difference {
  readonly script: string
  /** The request as the document shows it. */
  readonly request: string
  /** `answer` (status and codes), `body`, or the name of a header. */
  readonly aspect: string
  readonly theirs: string
  readonly ours: string
}

export const nothing = '(none)'

/** Headers that no outcome explains: compared even between a success and a refusal. */
const everywhere = new Set([
  'docker-distribution-api-version',
  'x-content-type-options',
  'x-request-id',
  'connection',
  'keep-alive',
  'server',
])

/** Compares two responses. A success beside a refusal is one difference: their headers would only repeat it. */
export function compare(
  theirs: Normalised,
  ours: Normalised,
): Pick<Difference, 'aspect' | 'theirs' | 'ours'>[] {
  const differences = []
  if (theirs.outcome !== ours.outcome) {
    differences.push({ aspect: 'answer', theirs: theirs.outcome, ours: ours.outcome })
  }
  const comparable = theirs.status === ours.status || (theirs.status >= 400 && ours.status >= 400)
  for (const name of [...new Set([...theirs.headers.keys(), ...ours.headers.keys()])].toSorted()) {
    const [their, our] = [theirs, ours].map(({ headers }) => headers.get(name) ?? nothing)
    if (their === undefined || our === undefined || their === our) continue
    if (comparable || everywhere.has(name)) differences.push({ aspect: name, theirs: their, ours: our })
  }
  if (theirs.status === ours.status && theirs.body !== ours.body) {
    differences.push({ aspect: 'body', theirs: theirs.body, ours: ours.body })
  }
  return differences
}
