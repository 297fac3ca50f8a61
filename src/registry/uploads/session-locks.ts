/**
 * Allows one writer per upload session inside this process. A newcomer asks the holder to release the session: the holder keeps
 * the bytes it received, records them and releases. A holder that misses the deadline loses the session. This is safe, because
 * the newcomer then claims the session's row and writes its own segment. Newcomers wait in a queue, and a release wakes only the
 * first: one client may have a thousand requests for one session.
 */

/** The abort reason of a holder's signal. */
export class LetGo extends Error {
  override readonly name = 'LetGo'
  constructor() {
    super('another request took over the upload session')
  }
}

export interface SessionLock extends Disposable {
  /** Aborted with `LetGo` when another request wants the session. */
  readonly letGo: AbortSignal
}

interface Waiter {
  readonly resolve: (lock: SessionLock) => void
  timer: NodeJS.Timeout | undefined
}

interface Session {
  holder: SessionLock | undefined
  askHolder: () => void
  /** In the order of arrival. A set, because a waiter may leave from the middle. */
  readonly waiting: Set<Waiter>
}

export class SessionLocks {
  readonly #sessions = new Map<string, Session>()
  readonly #deadlineMs: number

  constructor(options: { deadlineMs: number }) {
    this.#deadlineMs = options.deadlineMs
  }

  acquire(id: string): Promise<SessionLock> {
    const session = this.#sessions.get(id)
    if (session === undefined) {
      const opened: Session = { holder: undefined, askHolder: () => undefined, waiting: new Set() }
      this.#sessions.set(id, opened)
      return Promise.resolve(this.#hold(id, opened))
    }
    const { promise, resolve } = Promise.withResolvers<SessionLock>()
    const waiter: Waiter = { resolve, timer: undefined }
    session.waiting.add(waiter)
    // The connection of the waiting request keeps the process alive, not this timer.
    waiter.timer = setTimeout(() => this.#handTo(waiter, id, session), this.#deadlineMs).unref()
    session.askHolder()
    return promise
  }

  /** Gives the session to the waiter, even if its holder has not released it. */
  #handTo(waiter: Waiter, id: string, session: Session): void {
    clearTimeout(waiter.timer)
    session.waiting.delete(waiter)
    waiter.resolve(this.#hold(id, session))
  }

  #hold(id: string, session: Session): SessionLock {
    const abort = new AbortController()
    const lock: SessionLock = {
      letGo: abort.signal,
      [Symbol.dispose]: () => {
        if (session.holder === lock) this.#release(id, session)
      },
    }
    session.holder = lock
    session.askHolder = () => {
      if (!abort.signal.aborted) abort.abort(new LetGo())
    }
    if (session.waiting.size > 0) session.askHolder()
    return lock
  }

  #release(id: string, session: Session): void {
    session.holder = undefined
    const [next] = session.waiting
    if (next === undefined) this.#sessions.delete(id)
    else this.#handTo(next, id, session)
  }
}
