/**
 * Loaded into the server under test before its program (`--import`): says over a socket how long its event loop was held
 * up since it was asked before.
 */
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { env } from 'node:process'

export interface LoopDelay {
  readonly p99Ms: number
  readonly maxMs: number
}

const path = env['TEST_LOOP_SOCKET']
if (path !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 2 })
  delay.enable()
  const server = createServer((socket) => {
    const told: LoopDelay = { p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }
    delay.reset()
    socket.on('error', () => undefined)
    socket.end(JSON.stringify(told))
  })
  server.listen(path)
  server.unref()
}
