/**
 * The version of the rights, which every cache of rights checks. A database that answers at once is read in each turn of the
 * event loop; otherwise the version is at most half a second old. So a revocation takes effect everywhere within a second, and
 * at once in the process that made it.
 */
import { isReady } from '../lib/maybe-promise.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'

export interface VersionWatchDeps {
  /** Milliseconds that never go back. */
  readonly now: () => number
  readonly getVersion: () => MaybePromise<number>
}

const maxAgeMs = 500

export class VersionWatch {
  readonly #deps: VersionWatchDeps
  #version = 0
  /** The time until which the version counts as current. */
  #freshUntil = 0
  #isFreshTurn = false
  /** The read in progress. `expire` drops it: an answer from before a change is stale after it. */
  #reading: Promise<number> | undefined
  readonly #onTurnEnd = (): void => void (this.#isFreshTurn = false)

  constructor(deps: VersionWatchDeps) {
    this.#deps = deps
  }

  current(): MaybePromise<number> {
    if (this.#isFreshTurn || this.#deps.now() < this.#freshUntil) return this.#version
    if (this.#reading !== undefined) return this.#reading
    const asked = this.#deps.now()
    const version = this.#deps.getVersion()
    if (isReady(version)) {
      this.#isFreshTurn = true
      setImmediate(this.#onTurnEnd)
      this.#version = version
      return version
    }
    const reading = version
      .then((found) => {
        if (this.#reading !== reading) return found
        this.#freshUntil = asked + maxAgeMs
        this.#version = found
        return found
      })
      .finally(() => {
        if (this.#reading === reading) this.#reading = undefined
      })
    this.#reading = reading
    return reading
  }

  /** Records a change made by this process: later callers read the version again, even while an older read is in progress. */
  expire(): void {
    this.#freshUntil = 0
    this.#isFreshTurn = false
    this.#reading = undefined
  }
}
