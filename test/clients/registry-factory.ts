/** Starts registries on demand, for test programs in other languages that need a new one in each test. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { startInProcess } from '../support/parts/in-process.ts'

export interface RegistryFactory extends AsyncDisposable {
  /** The URL of the factory: a POST returns the URL of a new empty registry to which everyone may push. */
  readonly url: string
  /** The number of registries started so far. */
  readonly started: number
}

/** Starts the factory. Disposing stops every registry that it started, and throws when one of them logged an error. */
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
