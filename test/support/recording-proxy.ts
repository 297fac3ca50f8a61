/** An HTTP proxy in front of a registry that tells what a client asked, and can act between two of its requests. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly status: number
  /** `Bearer`, `Basic` or an empty text. */
  readonly scheme: string
}

export interface RecordingProxy extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string
  readonly seen: readonly SeenRequest[]
}

export interface ProxyOptions {
  /** Of the registry, `http://127.0.0.1:<port>`. */
  readonly url: string
  /** The registry has answered, the client does not know yet. */
  readonly onAnswer?: (seen: SeenRequest) => void
}

/** Passes `Host` on as it comes: the realm and every `Location` lead through the proxy again. */
export async function startRecordingProxy({ url, onAnswer }: ProxyOptions): Promise<RecordingProxy> {
  const seen: SeenRequest[] = []
  const forward = async (incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = incoming
    const outgoing = http.request(new URL(path, url), { method, headers, agent: false })
    const answered = once(outgoing, 'response') as Promise<[http.IncomingMessage]>
    const [[answer]] = await Promise.all([answered, pipeline(incoming, outgoing)])
    const { statusCode: status = 0, statusMessage, rawHeaders } = answer
    const [scheme = ''] = (headers.authorization ?? '').split(' ', 1)
    const request = { method, path, status, scheme }
    seen.push(request)
    onAnswer?.(request)
    response.writeHead(status, statusMessage, rawHeaders)
    await pipeline(answer, response)
  }
  const server = http.createServer((incoming, response) => {
    forward(incoming, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
