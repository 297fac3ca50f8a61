/**
 * Loaded into the server under test before its program (`--import`): reports over a socket how long the event loop was blocked
 * since the last report.
 */
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { env } from 'node:process'
import { isMainThread } from 'node:worker_threads'

export interface LoopDelay {
  readonly p99Ms: number
  readonly maxMs: number
}

const path = env['TEST_LOOP_SOCKET']
// Threads of the server load this file, too.
if (path !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 2 })
  delay.enable()
  const server = createServer((socket) => {
    const told: LoopDelay = { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }
    delay.reset()
    socket.on('error', () => undefined)
    socket.end(JSON.stringify(told))
  })
  // A killed server leaves its socket behind.
  rmSync(path, { force: true })
  server.listen(path)
  server.unref()
}
