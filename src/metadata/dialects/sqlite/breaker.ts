/** Keeps the first error after which nothing may be acknowledged, and reports it once. */
import type { MetadataUnavailable } from '../../errors.ts'

export class Breaker {
  readonly #onTrip: (error: MetadataUnavailable) => void
  #error: MetadataUnavailable | undefined
  #isArmed = false

  constructor(onTrip: (error: MetadataUnavailable) => void) {
    this.#onTrip = onTrip
  }

  /** Starts to report the error. Call it at the end of opening: until then the caller gets the error itself. */
  arm(): void {
    this.#isArmed = true
  }

  trip(error: MetadataUnavailable): void {
    if (this.#error !== undefined) return
    this.#error = error
    if (this.#isArmed) this.#onTrip(error)
  }

  /** Throws the error, if there was one. */
  assertIntact(): void {
    if (this.#error !== undefined) throw this.#error
  }
}
