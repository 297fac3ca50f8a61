/** A request as handlers see it: parsed by the wrapper, with a body that is read only on demand. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Origin } from '../../identity/identity.ts'
import type { Asker, PushRights } from '../../access/policy.ts'
import type { Principal } from '../../identity/principal.ts'
import type { OciError } from '../../oci/oci-error.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { Caller } from '../../registry/caller.ts'
import type { Admitted } from '../../edge/gate.ts'
import { decideAfterWait } from '../admit.ts'
import { BodyTooSlowError, ClientGoneError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { parseQuery } from './query.ts'

export interface RegistryRequest {
  readonly id: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly query: URLSearchParams
  readonly principal: Principal
  readonly caller: Caller
  readonly origin: Origin
  /** Aborts when the connection is closed. */
  readonly signal: AbortSignal
  /** The party and signal for work that takes turns with the work of other callers. */
  readonly asker: Asker
  /** The announced length of the body; `undefined` if it comes in chunks or not at all. */
  readonly contentLength: number | undefined
  readonly hasBody: boolean
  /**
   * The body as it arrives; it can be read once. Throws `ClientGoneError`, `BodyStalledError`, `BodyTooSlowError`, and the
   * size-limit error if the route limits the body.
   */
  readonly body: AsyncIterable<Uint8Array>
  /**
   * Resolves once there is room in memory for a reply of this many bytes; call it before the reply is made. Throws
   * `ClientGoneError` if the client disconnects during the wait, and the refusal if the caller has lost its right in the
   * meantime.
   */
  reserve(bytes: number): Promise<void>
  /**
   * Like `reserve`, but for this many bytes of the request body, before it is read into memory; rights are not checked
   * again.
   */
  reserveBody(bytes: number): Promise<void>
}

/** A request inside a repository. */
export interface RepositoryRequest extends RegistryRequest {
  readonly repository: RepositoryName
  /** The path as it was requested: links to further pages stay below it, where the client's token is valid. */
  readonly path: string
  /** The last component of the path, decoded: a reference, a digest or an upload id; empty if there is none. */
  readonly argument: string
}

/** How much of a body is accepted, and the error for a larger one. */
export interface BodyLimit {
  readonly bytes: number
  /** The time in which the whole body must arrive. */
  readonly ms: number
  readonly refusal: new (bytes: number) => OciError
}

/** The parts of the request line that handlers need. */
interface RequestTarget {
  readonly path: string
  readonly rawQuery: string
  readonly argument: string
}

/** Only the gate creates an `Admitted`, so no handler gets a request without a decision. */
interface KnownOfRequest extends Admitted {
  readonly bodyLimit: BodyLimit | undefined
}

/**
 * Handlers of rows without a repository accept a `RegistryRequest`, and so cannot read the members that only other rows
 * have.
 */
export class IncomingRequest implements RepositoryRequest {
  readonly id: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly argument: string
  readonly principal: Principal
  readonly #push: PushRights
  readonly #repository: RepositoryName | undefined
  readonly #rawQuery: string
  readonly #bodyLimit: BodyLimit | undefined
  readonly #exchange: Exchange
  #query: URLSearchParams | undefined
  #signal: AbortSignal | undefined

  constructor(exchange: Exchange, target: RequestTarget, known: KnownOfRequest) {
    this.#exchange = exchange
    this.#rawQuery = target.rawQuery
    this.#repository = known.repository
    this.#bodyLimit = known.bodyLimit
    this.id = exchange.id
    this.method = exchange.incoming.method ?? ''
    this.headers = exchange.incoming.headers
    this.path = target.path
    this.argument = target.argument
    this.principal = known.principal
    this.#push = known.push
  }

  get repository(): RepositoryName {
    if (this.#repository === undefined) throw new Error('this route has no repository')
    return this.#repository
  }

  get query(): URLSearchParams {
    this.#query ??= parseQuery(this.#rawQuery)
    return this.#query
  }

  get origin(): Origin {
    return this.#exchange.origin
  }

  get asker(): Asker {
    return { party: this.#exchange.party, signal: this.signal }
  }

  get caller(): Caller {
    return { principal: this.principal, push: this.#push, origin: this.origin }
  }

  /** Created on demand: most requests never need one. */
  get signal(): AbortSignal {
    this.#signal ??= abortOnClose(this.#exchange.response)
    return this.#signal
  }

  async reserve(bytes: number): Promise<void> {
    const { readers } = this.#exchange
    await readers.reserve(this.#exchange, bytes, () => this.signal)
    await decideAfterWait(this.#exchange)
  }

  async reserveBody(bytes: number): Promise<void> {
    const { readers, incoming, response } = this.#exchange
    await readers.reserveBody(this.#exchange, bytes, () => this.signal)
    readers.watchSender(incoming, response)
  }

  get contentLength(): number | undefined {
    const text = this.headers['content-length']
    return text === undefined ? undefined : Number(text)
  }

  get hasBody(): boolean {
    return this.#exchange.body.expected
  }

  get body(): AsyncIterable<Uint8Array> {
    const { body } = this.#exchange
    return this.#bodyLimit === undefined ? body : limitBody(body, this.contentLength, this.#bodyLimit)
  }
}

/**
 * Refuses a body whose announced length is too large before a byte is read, and any other by counting its bytes. The
 * time is checked with each piece; silence, which delays that check, has its own limit.
 */
export async function* limitBody(
  body: AsyncIterable<Uint8Array>,
  announced: number | undefined,
  { bytes: max, ms, refusal: Refusal }: BodyLimit,
): AsyncGenerator<Uint8Array, void> {
  if (announced !== undefined && announced > max) throw new Refusal(max)
  const begun = performance.now()
  let received = 0
  for await (const chunk of body) {
    received += chunk.length
    if (received > max) throw new Refusal(max)
    if (performance.now() - begun > ms) throw new BodyTooSlowError(ms)
    yield chunk
  }
}

export function abortOnClose(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const abort = (): void => {
    if (!response.writableFinished) controller.abort(new ClientGoneError())
  }
  if (response.destroyed) abort()
  else response.once('close', abort)
  return controller.signal
}
