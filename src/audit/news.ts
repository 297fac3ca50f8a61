/** Tells whether a key is new within the last minute; remembers a limited number of keys, in total and per party. */
import type { Clock } from '../lib/clock.ts'

/** `known`: seen within the last minute. `too-many`: not seen, but no more keys can be remembered. */
export type News = 'new' | 'known' | 'too-many'

const newsMs = 60_000
/** The most keys remembered, and so recorded, within a minute. */
const maxRemembered = 10_000
/** The most keys of one party, so that its refused requests do not keep others' events from being recorded. */
const maxPerParty = 500

export function createNews(clock: Clock): (key: string, party: string) => News {
  const remembered = new Map<string, { readonly since: number; readonly party: string }>()
  const parties = new Map<string, number>()

  function count(party: string, change: 1 | -1): void {
    const next = (parties.get(party) ?? 0) + change
    if (next === 0) parties.delete(party)
    else parties.set(party, next)
  }

  /** Forgets keys older than a minute, even after the clock was set back. */
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
