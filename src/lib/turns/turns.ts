/**
 * Bounded work per turn of the event loop. SQLite answers synchronously, and awaiting a resolved promise does not yield to
 * I/O, so a loop over rows, names or patterns blocks all other requests unless it rests. All walks of a process share one
 * budget per turn: once it is used up they queue, and each turn serves the first in the queue.
 */

export interface LoopOptions {
  /** Milliseconds, monotonic. */
  readonly now?: () => number
  /** Calls back in a later turn of the event loop. */
  readonly schedule?: (callback: () => void) => void
}

/** Milliseconds of work per turn for all walks together. */
export const maxTurnMs = 3

/** The share of the event loop that walks have; one per process, tests make their own. */
export class Loop {
  readonly #now: () => number
  readonly #schedule: (callback: () => void) => void
  readonly #waiting: (() => void)[] = []
  #startedAt: number | undefined
  #turns = 0

  constructor({ now = () => performance.now(), schedule = setImmediate }: LoopOptions = {}) {
    this.#now = now
    this.#schedule = schedule
  }

  /** How many turns walks have waited for so far. */
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

  /** Resolves in a later turn, in the order of the calls. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      // The end of a started turn is scheduled already.
      if (this.#startedAt === undefined) {
        this.#startedAt = this.#now()
        this.#schedule(() => this.#begin())
      }
    })
  }

  #begin(): void {
    const next = this.#waiting.shift()
    if (next === undefined) {
      this.#startedAt = undefined
      return
    }
    this.#turns += 1
    this.#startedAt = this.#now()
    this.#schedule(() => this.#begin())
    next()
  }
}

export interface TurnsOptions {
  /** Ends the walk when its reader disconnects. */
  readonly signal?: AbortSignal | undefined
  /** The most turns the walk may take; unlimited by default. */
  readonly maxTurns?: number
  readonly loop?: Loop
}

const processLoop = new Loop()

/** The turns of one walk. Ask `isDue` after each unit of work, which takes well below a millisecond. */
export class Turns {
  readonly #loop: Loop
  readonly #signal: AbortSignal | undefined
  readonly #maxTurns: number
  #rests = 0

  constructor({ signal, maxTurns = Infinity, loop = processLoop }: TurnsOptions = {}) {
    this.#loop = loop
    this.#signal = signal
    this.#maxTurns = maxTurns
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
    await this.#loop.wait()
    this.#signal?.throwIfAborted()
  }

  /** Rests if a rest is due. */
  async pass(): Promise<void> {
    if (this.isDue()) await this.rest()
  }
}
