/** Assigns each difference its reason, and reports reasons that are missing, doubled or unused. */
import type { Difference } from './compare.ts'
import type { Case, Chapter, Reason } from './reason.ts'
import { explains, show } from './reason.ts'

export interface Judgement {
  readonly found: ReadonlyMap<Reason, readonly Difference[]>
  /** Empty when every difference has exactly one case, and every case has a difference. */
  readonly faults: readonly string[]
}

export function judge(differences: readonly Difference[], chapters: readonly Chapter[]): Judgement {
  const reasons = chapters.flatMap((chapter) => chapter.reasons)
  const used = new Set<Case>()
  const found = new Map<Reason, Difference[]>(reasons.map((reason) => [reason, []]))
  const faults: string[] = []
  for (const difference of differences) {
    const matches = reasons.flatMap((reason) =>
      reason.cases.filter((one) => explains(one, difference)).map((one) => ({ reason, one })),
    )
    if (matches.length !== 1) {
      const titles = matches.map(({ reason }) => reason.title).join('; ')
      faults.push(`${titles === '' ? 'no reason' : `several reasons (${titles})`}: ${describe(difference)}`)
    }
    for (const { reason, one } of matches.slice(0, 1)) {
      used.add(one)
      found.get(reason)?.push(difference)
    }
  }
  return { found, faults: [...faults, ...findUnused(reasons, used)] }
}

function findUnused(reasons: readonly Reason[], used: ReadonlySet<Case>): string[] {
  return reasons.flatMap(({ title, cases }) =>
    cases
      .filter((one) => !used.has(one))
      .map((one) => `no difference: "${title}" has a case that never occurs: ${describeCase(one)}`),
  )
}

function describe({ script, request, aspect, theirs, ours }: Difference): string {
  return `${script}: ${request}: ${aspect}: ${show(theirs)} | ${show(ours)}`
}

function describeCase({ aspect, theirs, ours, in: requests }: Case): string {
  return `${aspect}: ${String(theirs)} | ${String(ours)}${requests === undefined ? '' : ` in ${String(requests)}`}`
}
