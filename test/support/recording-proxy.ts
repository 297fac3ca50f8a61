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
  /** The headers of these names, or empty texts. */
  readonly range: string
  readonly contentRange: string
  /** Of the request's body. */
  readonly sentBytes: number
  /** Of the answer, or an empty text. */
  readonly contentType: string
  /** Of the answer's body, taken from the registry so far. */
  readonly bodyBytes: number
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
  /** After how many bytes of the answer's body the client's connection ends; undefined: after all. */
  readonly cutAfter?: (seen: SeenRequest) => number | undefined
}

/** Passes `Host` on as it comes: the realm and every `Location` lead through the proxy again. */
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

/** Its failure makes `pipeline` end both connections. */
function countInto(request: { bodyBytes: number }, cut = Infinity) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      request.bodyBytes += chunk.length
      yield chunk
      if (request.bodyBytes >= cut) throw new Error('cut on purpose')
    }
  }
}
