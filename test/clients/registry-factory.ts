/** Starts registries on demand, for test programs in other languages that want one of their own in each test. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { startInProcess } from '../support/in-process.ts'

export interface RegistryFactory extends AsyncDisposable {
  /** A POST to it answers with the URL of an empty registry to which everyone may push. */
  readonly url: string
  /** How many were started so far. */
  readonly started: number
}

/** Disposing stops every registry that it started, and throws when one of them logged a fault. */
export async function startRegistryFactory(): Promise<RegistryFactory> {
  const registries = new AsyncDisposableStack()
  let started = 0
  const server = http.createServer((_request, response) => {
    startInProcess().then(
      (registry) => {
        started += 1
        registries.use(registry)
        response.end(registry.url)
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get started() {
      return started
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await registries.disposeAsync()
    },
  }
}
