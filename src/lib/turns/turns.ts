/**
 * Bounded work per turn of the event loop. SQLite answers synchronously, and awaiting a resolved promise does not yield to
 * I/O, so a loop over rows, names or patterns blocks all other requests unless it rests. All walks of a process share one
 * budget per turn. Once it is used up they queue by party, and parties take turns: many walks of one party do not delay another.
 */

export interface LoopOptions {
  /** Milliseconds, monotonic. */
  readonly now?: () => number
  /** Calls back in a later turn of the event loop. */
  readonly schedule?: (callback: () => void) => void
}

/** Milliseconds of work per turn for all walks together. */
export const maxTurnMs = 3

/** The share of the event loop that walks may use. There is one per process; tests create their own. */
export class Loop {
  readonly #now: () => number
  readonly #schedule: (callback: () => void) => void
  /** Waiting walks by party, in the order in which the parties get their turns. */
  readonly #lines = new Map<string, Set<() => void>>()
  #startedAt: number | undefined
  #turns = 0

  constructor({ now = () => performance.now(), schedule = setImmediate }: LoopOptions = {}) {
    this.#now = now
    this.#schedule = schedule
  }

  /** How many turns of the event loop have been waited for so far. */
  get turns(): number {
    return this.#turns
  }

  /** Whether the budget of this turn is used up. */
  isUsedUp(): boolean {
    const now = this.#now()
    if (this.#startedAt === undefined) {
      this.#startedAt = now
      this.#schedule(() => this.#begin())
    }
    return now - this.#startedAt >= maxTurnMs
  }

  /** Resolves in a later turn; the calls of one party resolve in order. */
  wait(party = ''): Promise<void> {
    return new Promise((resolve) => {
      const line = this.#lines.get(party)
      if (line === undefined) this.#lines.set(party, new Set([resolve]))
      else line.add(resolve)
      // The end of a started turn is scheduled already.
      if (this.#startedAt === undefined) {
        this.#startedAt = this.#now()
        this.#schedule(() => this.#begin())
      }
    })
  }

  #begin(): void {
    const next = this.#takeNext()
    if (next === undefined) {
      this.#startedAt = undefined
      return
    }
    this.#turns += 1
    this.#startedAt = this.#now()
    this.#schedule(() => this.#begin())
    next()
  }

  #takeNext(): (() => void) | undefined {
    const [[party, line] = ['', new Set<() => void>()]] = this.#lines
    const [next] = line
    if (next === undefined) return undefined
    line.delete(next)
    this.#lines.delete(party)
    if (line.size > 0) this.#lines.set(party, line)
    return next
  }
}

export interface TurnsOptions {
  /** Ends the walk when its reader disconnects. */
  readonly signal?: AbortSignal | undefined
  /** The most turns the walk may take; unlimited by default. */
  readonly maxTurns?: number
  /** The caller: parties take turns. Walks without a party share one place. */
  readonly party?: string | undefined
  readonly loop?: Loop
}

const processLoop = new Loop()

/** The turns of one walk. Ask `isDue` after each unit of work, which takes well below a millisecond. */
export class Turns {
  readonly #loop: Loop
  readonly #signal: AbortSignal | undefined
  readonly #maxTurns: number
  readonly #party: string | undefined
  #rests = 0

  constructor({ signal, maxTurns = Infinity, party, loop = processLoop }: TurnsOptions = {}) {
    this.#loop = loop
    this.#signal = signal
    this.#maxTurns = maxTurns
    this.#party = party
  }

  /** Whether to `rest` before the next unit of work. */
  isDue(): boolean {
    return this.#loop.isUsedUp()
  }

  /** Whether the walk has used all its turns. */
  get isSpent(): boolean {
    return this.#rests >= this.#maxTurns
  }

  /** Yields to the event loop. Throws the signal's reason if it was aborted. */
  async rest(): Promise<void> {
    this.#rests += 1
    await this.#loop.wait(this.#party)
    this.#signal?.throwIfAborted()
  }

  /** Rests if a rest is due. */
  async pass(): Promise<void> {
    if (this.isDue()) await this.rest()
  }
}
