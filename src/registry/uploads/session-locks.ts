/**
 * One writer per upload session inside this process. A newcomer asks the holder to let go: the holder keeps what
 * it received, records it and releases; one that does not within the deadline is passed over, which is safe, since
 * a claim on the session's row then moves the newcomer to a segment of its own.
 */

/** The reason a holder's signal is aborted with. */
export class LetGo extends Error {
  override readonly name = 'LetGo'
  constructor() {
    super('another request took over the upload session')
  }
}

export interface SessionLock extends Disposable {
  /** Aborted with `LetGo` when somebody else wants the session. */
  readonly letGo: AbortSignal
}

interface Holder {
  readonly lock: SessionLock
  readonly abort: AbortController
  readonly released: Promise<void>
}

export class SessionLocks {
  readonly #holders = new Map<string, Holder>()
  readonly #deadlineMs: number

  constructor(options: { deadlineMs: number }) {
    this.#deadlineMs = options.deadlineMs
  }

  async acquire(id: string): Promise<SessionLock> {
    const deadline = AbortSignal.timeout(this.#deadlineMs)
    for (let holder = this.#holders.get(id); holder !== undefined; holder = this.#holders.get(id)) {
      holder.abort.abort(new LetGo())
      await Promise.race([holder.released, aborted(deadline)])
      if (deadline.aborted && this.#holders.get(id) === holder) break
    }
    return this.#hold(id)
  }

  #hold(id: string): SessionLock {
    const abort = new AbortController()
    const { promise: released, resolve } = Promise.withResolvers<void>()
    const lock: SessionLock = {
      letGo: abort.signal,
      [Symbol.dispose]: () => {
        if (this.#holders.get(id)?.lock === lock) this.#holders.delete(id)
        resolve()
      },
    }
    this.#holders.set(id, { lock, abort, released })
    return lock
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  else signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
