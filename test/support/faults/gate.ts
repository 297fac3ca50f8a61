/**
 * @module A slow store whose speed a test decides: calls stand before a gate until it opens. Nothing sleeps, and the
 * test knows when a call is there. What a real slow disk has besides is not simulated: calls that take turns, and a
 * kernel whose threads are all taken.
 */
import type { FailingOperation, FaultPlan } from '../../../src/blob-store/contract/failing-blob-store.ts'

export class Gate {
  readonly #opened = Promise.withResolvers<void>()
  readonly #arrived = Promise.withResolvers<void>()

  /** Resolves when the first call stands before it. */
  get arrived(): Promise<void> {
    return this.#arrived.promise
  }

  /** Lets all calls through, those to come as well. */
  open(): void {
    this.#opened.resolve()
  }

  /** For a call that has just arrived. */
  pass(): Promise<void> {
    this.#arrived.resolve()
    return this.#opened.promise
  }
}

/** Holds the first call of an operation at the gate, and none after it. */
export function holdFirst(operation: FailingOperation, gate: Gate): FaultPlan {
  return (call) => {
    const isMeant = call.operation === operation && call.count === 1
    return isMeant ? { kind: 'wait', until: gate.pass() } : undefined
  }
}
