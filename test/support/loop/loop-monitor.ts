/**
 * Loaded into the server under test before its program (`--import`): says over a socket how long its event loop was held
 * up since it was asked before.
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
// Threads of the server load it too.
if (path !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 2 })
  delay.enable()
  const server = createServer((socket) => {
    const told: LoopDelay = { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }
    delay.reset()
    socket.on('error', () => undefined)
    socket.end(JSON.stringify(told))
  })
  // What a server that was killed left behind.
  rmSync(path, { force: true })
  server.listen(path)
  server.unref()
}
