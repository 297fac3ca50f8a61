/**
 * @module A small HTTP client for tests, on `node:http`. It follows no redirects, retries nothing, adds no header but `Host`, and
 * lets a test send a body in pieces or cut the connection in the middle. `exchangeRaw` works one level lower and writes bytes
 * that no HTTP client would send.
 */
import { once } from 'node:events'
import http from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Answer {
  readonly status: number
  /** The reason phrase after the status. */
  readonly reason: string
  readonly headers: http.IncomingHttpHeaders
  /** Name, value, name, value, ... as received; shows repeated headers. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  text(): string
  json(): unknown
}

export type Body = Uint8Array | string | AsyncIterable<Uint8Array>

export interface Ask {
  readonly method?: string
  readonly headers?: http.OutgoingHttpHeaders
  /** An async iterable is sent with `Transfer-Encoding: chunked` unless `Content-Length` is given. */
  readonly body?: Body
  readonly signal?: AbortSignal
  /** Without an agent each request opens a new connection. */
  readonly agent?: http.Agent
  /** The longest time to wait for the response. */
  readonly timeoutMs?: number
}

/** Sends one request and returns its response. A response that arrives before the body is sent stops the sending. */
export async function ask(url: string, options: Ask = {}): Promise<Answer> {
  await using request = openRequest(url, options)
  const { body } = options
  if (body === undefined) return await request.end()
  if (typeof body === 'string' || body instanceof Uint8Array) return await request.end(body)
  for await (const chunk of body) {
    if (request.answered) break
    await request.write(chunk)
  }
  return await request.end()
}

/** A request in progress. Disposing it closes the connection, whatever its state. */
export interface OpenRequest extends AsyncDisposable {
  /** Whether the head of the response has arrived. */
  readonly answered: boolean
  /** The response; rejects when the connection breaks before it is complete. */
  readonly answer: Promise<Answer>
  /** Sends only the head, before any byte of the body. */
  sendHead(): void
  /** Resolves when the socket accepted the chunk, so that back-pressure of the server reaches the caller. */
  write(chunk: Uint8Array | string): Promise<void>
  end(chunk?: Uint8Array | string): Promise<Answer>
  /** Breaks the connection at once, as a lost network does. */
  cut(): void
}

class NodeRequest implements OpenRequest {
  answered = false
  readonly answer: Promise<Answer>
  readonly #request: http.ClientRequest

  constructor(url: string, options: Ask) {
    this.#request = http.request(url, {
      method: options.method ?? 'GET',
      headers: withLength(options),
      agent: options.agent ?? false,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    this.#request.setTimeout(options.timeoutMs ?? 60_000, () => {
      this.#request.destroy(new Error(`${options.method ?? 'GET'} ${url}: no answer in time`))
    })
    this.answer = this.#read()
    // Code that awaits `answer` sees the failure; a test that cuts the connection may not await it.
    this.answer.catch(() => undefined)
  }

  async #read(): Promise<Answer> {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      this.#request.on('response', resolve)
      // Once the head of the response has arrived, the server may reset the sending side.
      this.#request.on('error', (error) => (this.answered ? undefined : reject(error)))
      this.#request.on('close', () => reject(new Error('connection closed before an answer')))
    })
    this.answered = true
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return toAnswer(response, Buffer.concat(chunks))
  }

  sendHead(): void {
    this.#request.flushHeaders()
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    await Promise.race([
      this.answer.then(() => undefined),
      new Promise<void>((resolve, reject) => {
        this.#request.write(chunk, (error) => (error && !this.answered ? reject(error) : resolve()))
      }),
    ])
  }

  async end(chunk?: Uint8Array | string): Promise<Answer> {
    this.#request.end(chunk)
    return await this.answer
  }

  cut(): void {
    this.#request.destroy(new Error('cut by the test'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#request.destroyed) return
    this.#request.destroy()
    if (!this.#request.closed) await once(this.#request, 'close')
  }
}

export function openRequest(url: string, options: Ask = {}): OpenRequest {
  return new NodeRequest(url, options)
}

/**
 * Writes bytes to the server's port unchanged and collects the response until the server closes the connection, or until `until`
 * accepts the bytes received so far.
 */
export async function exchangeRaw(
  url: string,
  bytes: Uint8Array | string,
  options: { readonly until?: (received: string) => boolean; readonly timeoutMs?: number } = {},
): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setTimeout(options.timeoutMs ?? 10_000, () => {
    socket.destroy(new Error(`raw exchange: the server neither answered nor closed; so far: ${received}`))
  })
  let received = ''
  socket.setEncoding('latin1')
  socket.write(bytes)
  try {
    for await (const chunk of socket) {
      received += chunk as string
      if (options.until?.(received) === true) break
    }
  } catch (error) {
    // Some servers end a connection with a reset after the response when they do not read the rest of the request.
    if (received === '' || (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
  } finally {
    socket.destroy()
  }
  return received
}

/** Sends a GET and returns the response stream unread, for slow readers. */
export async function openResponse(url: string, options: Ask = {}): Promise<http.IncomingMessage> {
  const request = http.request(url, {
    method: options.method ?? 'GET',
    headers: options.headers ?? {},
    agent: options.agent ?? false,
  })
  request.end()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  if (response.statusCode !== undefined && response.statusCode >= 400) {
    throw new Error(`GET ${url} answered ${response.statusCode}: ${await text(response)}`)
  }
  return response
}

function withLength(options: Ask): http.OutgoingHttpHeaders {
  const headers = { ...options.headers }
  const { body } = options
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return headers
  const given = Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name))
  return given ? headers : { ...headers, 'content-length': Buffer.byteLength(body) }
}

function toAnswer(response: http.IncomingMessage, body: Buffer): Answer {
  return {
    status: response.statusCode ?? 0,
    reason: response.statusMessage ?? '',
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body,
    text: () => body.toString('utf8'),
    json: () => JSON.parse(body.toString('utf8')) as unknown,
  }
}
