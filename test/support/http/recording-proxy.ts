/** An HTTP proxy in front of a registry that records the requests of a client and can act between two of them. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

export interface SeenRequest {
  readonly method: string
  /** The path and the query. */
  readonly path: string
  readonly status: number
  /** The scheme of `Authorization`: `Bearer`, `Basic` or an empty text. */
  readonly scheme: string
  /** The `Range` and `Content-Range` headers, or empty texts. */
  readonly range: string
  readonly contentRange: string
  /** The size of the request's body. */
  readonly sentBytes: number
  /** The `Content-Type` of the response, or an empty text. */
  readonly contentType: string
  /** How many bytes of the response's body the registry has sent so far. */
  readonly bodyBytes: number
}

export interface RecordingProxy extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string
  readonly seen: readonly SeenRequest[]
}

export interface ProxyOptions {
  /** The URL of the registry, `http://127.0.0.1:<port>`. */
  readonly url: string
  /** Called when the registry has responded, before the client receives the response. */
  readonly onAnswer?: (seen: SeenRequest) => void
  /**
   * Returns after how many bytes of the response's body the proxy cuts the client's connection; `undefined`: it does not cut it.
   */
  readonly cutAfter?: (seen: SeenRequest) => number | undefined
}

/** Starts the proxy. It forwards `Host` unchanged, so that the realm and every `Location` lead back through the proxy. */
export async function startRecordingProxy(options: ProxyOptions): Promise<RecordingProxy> {
  const { url, onAnswer, cutAfter } = options
  const seen: SeenRequest[] = []
  const forward = async (incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = incoming
    const outgoing = http.request(new URL(path, url), { method, headers, agent: false })
    const answered = once(outgoing, 'response') as Promise<[http.IncomingMessage]>
    const sent = { bodyBytes: 0 }
    const [[answer]] = await Promise.all([answered, pipeline(incoming, countInto(sent), outgoing)])
    const { statusCode: status = 0, statusMessage, rawHeaders } = answer
    const described = { ...describeHeaders(headers, answer), sentBytes: sent.bodyBytes }
    const request = { method, path, status, ...described, bodyBytes: 0 }
    seen.push(request)
    onAnswer?.(request)
    const cut = cutAfter?.(request) ?? Infinity
    response.writeHead(status, statusMessage, rawHeaders)
    await pipeline(answer, countInto(request, cut), response)
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

function describeHeaders(
  { authorization = '', range = '', 'content-range': contentRange = '' }: http.IncomingHttpHeaders,
  answer: http.IncomingMessage,
): Pick<SeenRequest, 'scheme' | 'range' | 'contentRange' | 'contentType'> {
  const [scheme = ''] = authorization.split(' ', 1)
  return { scheme, range, contentRange, contentType: answer.headers['content-type'] ?? '' }
}

/** Counts the bytes that pass. Throws at the cut, so that `pipeline` closes both connections. */
function countInto(request: { bodyBytes: number }, cut = Infinity) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      request.bodyBytes += chunk.length
      yield chunk
      if (request.bodyBytes >= cut) throw new Error('cut on purpose')
    }
  }
}
