/**
 * Hands out a limited number of work slots fairly: parties take turns, then the members of a party, and each member is served
 * in order of arrival. One party with many requests cannot delay another with few. The queue is bounded: when it is full, the
 * party with the most requests loses its newest one, so newcomers still get in.
 */
import { TurnLine } from './turn-line.ts'

export interface FairTurnsOptions {
  readonly slots: number
  /** The most waiting requests of all parties together. */
  readonly maxWaiting: number
  readonly maxPerParty?: number
  /**
   * Whether a party has priority; by default all have. Called when a request of the party arrives and after each of its turns.
   * Of four turns, one goes to parties without priority and one to the priority party that arrived last, so neither starves
   * behind many others.
   */
  readonly isFavoured?: (party: string) => boolean
}

export interface Turn {
  readonly party: string
  readonly member?: string
}

/** The queue is full: this request would not be served soon enough to be useful. */
export class TurnRefused extends Error {
  override readonly name = 'TurnRefused'
}

interface Candidates {
  /** The priority party that is first in order. */
  oldest: string | undefined
  /** The priority party that arrived last and had no turn yet. */
  newest: string | undefined
  /** The first party without priority. */
  other: string | undefined
}

const favouredInRow = 3
const turnOfNewest = 2

export class FairTurns {
  readonly #maxWaiting: number
  readonly #maxPerParty: number
  readonly #isFavoured: (party: string) => boolean
  /** Waiting parties. A map keeps insertion order: after a turn, a party moves to the end. */
  readonly #lines = new Map<string, TurnLine>()
  /** Parties that get no turn now, with the number of reasons: a running turn and each rest count one. */
  readonly #away = new Map<string, number>()
  #free: number
  #waiting = 0
  #row = 0

  constructor(options: FairTurnsOptions) {
    const { slots, maxWaiting, maxPerParty = maxWaiting, isFavoured = () => true } = options
    this.#free = slots
    this.#maxWaiting = maxWaiting
    this.#maxPerParty = maxPerParty
    this.#isFavoured = isFavoured
  }

  /** Throws `TurnRefused`, at once or while waiting, if this request does not fit in the queue. */
  async run<T>({ party, member = '' }: Turn, work: () => Promise<T>): Promise<T> {
    await this.#wait(party, member)
    try {
      return await work()
    } finally {
      this.#free += 1
      const line = this.#lines.get(party)
      if (line !== undefined) line.isFavoured = this.#isFavoured(party)
      this.#comeBack(party)
    }
  }

  /** The party gets no turn until the promise settles; its waiting requests keep their places. */
  rest(party: string, until: Promise<unknown>): void {
    this.#goAway(party)
    const end = (): void => this.#comeBack(party)
    until.then(end, end)
  }

  #wait(party: string, member: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const line = this.#lines.get(party) ?? new TurnLine()
    this.#lines.set(party, line)
    line.isFavoured = this.#isFavoured(party)
    line.push(member, { start: resolve, refuse: reject })
    this.#waiting += 1
    this.#advance()
    if (line.length > this.#maxPerParty) this.#refuseNewest(party, line)
    if (this.#waiting > this.#maxWaiting) this.#refuseNewest(...this.#findLargest())
    return promise
  }

  #advance(): void {
    while (this.#free > 0) {
      const party = this.#choose()
      const line = party === undefined ? undefined : this.#lines.get(party)
      if (party === undefined || line === undefined) return
      this.#free -= 1
      this.#goAway(party)
      this.#lines.delete(party)
      const next = line.shift()
      if (line.length > 0) this.#lines.set(party, line)
      this.#waiting -= 1
      next.start()
    }
  }

  #choose(): string | undefined {
    const { oldest, newest, other } = this.#findCandidates()
    if (oldest === undefined || (other !== undefined && this.#row >= favouredInRow)) {
      this.#row = 0
      return other
    }
    this.#row += 1
    return this.#row % favouredInRow === turnOfNewest ? (newest ?? oldest) : oldest
  }

  #findCandidates(): Candidates {
    const found: Candidates = { oldest: undefined, newest: undefined, other: undefined }
    for (const [party, line] of this.#lines) {
      if (this.#away.has(party)) continue
      if (!line.isFavoured) found.other ??= party
      else {
        found.oldest ??= party
        if (!line.hadTurn) found.newest = party
      }
    }
    return found
  }

  #refuseNewest(party: string, line: TurnLine): void {
    const newest = line.pop()
    if (line.length === 0) this.#lines.delete(party)
    this.#waiting -= 1
    newest.refuse(new TurnRefused('too many are waiting already'))
  }

  /** Prefers a party without priority, if one waits; among equals, the last in order. */
  #findLargest(): [string, TurnLine] {
    const [first, ...rest] = this.#lines
    if (first === undefined) throw new Error('nobody is waiting')
    return rest.reduce((largest, entry) => (isLarger(entry[1], largest[1]) ? entry : largest), first)
  }

  #goAway(party: string): void {
    this.#away.set(party, (this.#away.get(party) ?? 0) + 1)
  }

  #comeBack(party: string): void {
    const reasons = (this.#away.get(party) ?? 1) - 1
    if (reasons === 0) this.#away.delete(party)
    else this.#away.set(party, reasons)
    this.#advance()
  }
}

function isLarger(line: TurnLine, than: TurnLine): boolean {
  return line.isFavoured === than.isFavoured ? line.length >= than.length : than.isFavoured
}
