/**
 * Collects the young generation after so many bytes of short-lived buffers. Node gives each piece of a request body a
 * buffer outside the heap; the heap hardly grows, so V8 runs no quick collection that would free them, and answers
 * the growing outside with full ones instead: 92 of them for an upload of 1.5 GiB, half of all its processor time,
 * and 40 MiB more at the peak. Quick ones every 8 MiB left one of them.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { type: 'minor' }) => void

export interface YoungGarbage {
  /** So many bytes were received into buffers that are soon garbage. */
  note(bytes: number): void
}

const intervalBytes = 8 * 1024 * 1024

export function createYoungGarbage(collect: Collect = findCollector()): YoungGarbage {
  let bytesSince = 0
  return {
    note(bytes) {
      bytesSince += bytes
      if (bytesSince < intervalBytes) return
      bytesSince = 0
      collect({ type: 'minor' })
    },
  }
}

/** V8 shows its collector only where a flag asks for it; a context made after the flag has it. */
function findCollector(): Collect {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as Collect
}
