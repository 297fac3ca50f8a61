/** Which keys were heard within the last minute: bounded, for each party too. */
import type { Clock } from '../lib/clock.ts'

/** `known`: heard within the last minute. `too-many`: not heard, but nothing more can be remembered. */
export type News = 'new' | 'known' | 'too-many'

const newsMs = 60_000
/** Of keys within a minute, those that are remembered, and so recorded. */
const maxRemembered = 10_000
/** Of one party: what it asks for without success keeps nothing of others from being recorded. */
const maxPerParty = 500

export function createNews(clock: Clock): (key: string, party: string) => News {
  const remembered = new Map<string, { readonly since: number; readonly party: string }>()
  const parties = new Map<string, number>()

  function count(party: string, change: 1 | -1): void {
    const next = (parties.get(party) ?? 0) + change
    if (next === 0) parties.delete(party)
    else parties.set(party, next)
  }

  /** Also after the clock was set back. */
  function forgetOld(at: number): void {
    for (const [key, { since, party }] of remembered) {
      if (Math.abs(at - since) < newsMs) break
      remembered.delete(key)
      count(party, -1)
    }
  }

  return (key, party) => {
    const at = clock.now()
    forgetOld(at)
    if (remembered.has(key)) return 'known'
    if (remembered.size >= maxRemembered || (parties.get(party) ?? 0) >= maxPerParty) return 'too-many'
    remembered.set(key, { since: at, party })
    count(party, 1)
    return 'new'
  }
}
