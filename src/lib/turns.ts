/**
 * Bounded work per turn of the event loop. SQLite answers synchronously and an `await` of a finished promise gives no
 * turn away, so a loop over rows, names or patterns keeps everybody else waiting unless it rests. All walks of a process
 * share one budget per turn: after it is used up they wait, and each turn serves the party whose turn it is: the many walks of one party hold up no other's.
 */

export interface LoopOptions {
  /** Milliseconds, monotonic. */
  readonly now?: () => number
  /** Calls back in a later turn of the event loop. */
  readonly schedule?: (callback: () => void) => void
}

/** Milliseconds of work that walks do per turn, all of them together. */
export const maxTurnMs = 3

/** The event loop as walks share it; a process has one, tests make their own. */
export class Loop {
  readonly #now: () => number
  readonly #schedule: (callback: () => void) => void
  /** By party, in the order in which they get their turns: who had one goes to the end. */
  readonly #lines = new Map<string, Set<() => void>>()
  #startedAt: number | undefined
  #turns = 0

  constructor({ now = () => performance.now(), schedule = setImmediate }: LoopOptions = {}) {
    this.#now = now
    this.#schedule = schedule
  }

  /** Turns that walks have waited for so far. */
  get turns(): number {
    return this.#turns
  }

  /** Whether the walks of this turn have used it up. */
  isUsedUp(): boolean {
    const now = this.#now()
    if (this.#startedAt === undefined) {
      this.#startedAt = now
      this.#schedule(() => this.#begin())
    }
    return now - this.#startedAt >= maxTurnMs
  }

  /** Resolves in a later turn; within a party in the order of the calls. */
  wait(party = ''): Promise<void> {
    return new Promise((resolve) => {
      const line = this.#lines.get(party)
      if (line === undefined) this.#lines.set(party, new Set([resolve]))
      else line.add(resolve)
      // A turn that was noted as started has its end scheduled already.
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
  /** Ends the walk when its reader is gone. */
  readonly signal?: AbortSignal | undefined
  /** The walk is spent after so many turns; by default it never is. */
  readonly maxTurns?: number
  /** Who asked: parties take turns. Walks without one share a place. */
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

  /** Whether the walk has had all the turns it may have. */
  get isSpent(): boolean {
    return this.#rests >= this.#maxTurns
  }

  /** Gives the event loop to others. Throws the reason of the signal when it was aborted. */
  async rest(): Promise<void> {
    this.#rests += 1
    await this.#loop.wait(this.#party)
    this.#signal?.throwIfAborted()
  }

  /** Rests when that is due. */
  async pass(): Promise<void> {
    if (this.isDue()) await this.rest()
  }
}
