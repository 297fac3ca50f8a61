/**
 * The barrier between a commit and its acknowledgement. SQLite commits into the `-wal` file without a sync
 * (synchronous=NORMAL). The barrier syncs that file off the event loop, once for all commits made before the sync
 * started. Commits of other processes are in the same file, so they are covered as well.
 */
import { MetadataUnavailable } from '../../errors.ts'
import { describeFatal } from './errors.ts'

export interface BarrierDeps {
  /** Makes the current content of the file durable. A `MetadataUnavailable` is passed on unchanged. */
  readonly fdatasync: () => Promise<void>
  /** Called once, with the first failure: the kernel may have dropped the bytes, so the process must end. */
  readonly onFatal: (error: MetadataUnavailable) => void
}

export interface Barrier {
  /** Resolves when every commit made before the call is durable; always rejects after the first failed sync. */
  wait(): Promise<void>
}

/** Creates the barrier. At most one sync runs and one waits: callers that arrive while one runs share the next. */
export function createBarrier(deps: BarrierDeps): Barrier {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let failure: MetadataUnavailable | undefined

  async function sync(): Promise<void> {
    if (failure !== undefined) throw failure
    try {
      await deps.fdatasync()
    } catch (error) {
      failure = error instanceof MetadataUnavailable ? error : describeFatal('sync', error)
      deps.onFatal(failure)
      throw failure
    }
  }

  function start(): Promise<void> {
    const current = sync().finally(() => {
      if (running === current) running = undefined
    })
    running = current
    return current
  }

  async function startAfter(previous: Promise<void>): Promise<void> {
    await Promise.allSettled([previous])
    next = undefined
    await start()
  }

  return {
    wait() {
      if (running === undefined) return start()
      next ??= startAfter(running)
      return next
    },
  }
}
