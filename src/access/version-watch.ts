/**
 * The version of the rights, as everything that remembers rights asks for it. Where the database answers at once it is
 * read in each turn of the event loop; elsewhere it is at most half a second old, so that what is revoked anywhere ends
 * everywhere within a second, and in the process that revoked it at once.
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
  /** Until when the version needs no look. */
  #freshUntil = 0
  #isFreshTurn = false
  /** `expire` forgets it: what was asked for before a change says nothing of what is there after it. */
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

  /** The version has changed, here: whoever asks from now on reads it again, also while an older reading is under way. */
  expire(): void {
    this.#freshUntil = 0
    this.#isFreshTurn = false
    this.#reading = undefined
  }
}
