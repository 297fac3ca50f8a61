/**
 * @module A slow store whose speed a test controls: calls wait at a gate until it opens. Nothing sleeps, and the test knows when
 * a call arrives. Not simulated: other effects of a slow disk, such as calls that queue and kernel threads that are all busy.
 */
import type { FailingOperation, FaultPlan } from '../../../src/blob-store/contract/failing-blob-store.ts'

export class Gate {
  readonly #opened = Promise.withResolvers<void>()
  readonly #arrived = Promise.withResolvers<void>()

  /** Resolves when the first call waits at the gate. */
  get arrived(): Promise<void> {
    return this.#arrived.promise
  }

  /** Lets all calls pass, including later ones. */
  open(): void {
    this.#opened.resolve()
  }

  /** Called by each call that arrives; resolves when the gate is open. */
  pass(): Promise<void> {
    this.#arrived.resolve()
    return this.#opened.promise
  }
}

/** Stops only the first call of an operation at the gate. */
export function holdFirst(operation: FailingOperation, gate: Gate): FaultPlan {
  return (call) => {
    const isFirst = call.operation === operation && call.count === 1
    return isFirst ? { kind: 'wait', until: gate.pass() } : undefined
  }
}
