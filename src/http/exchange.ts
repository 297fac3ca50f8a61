import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../identity/principal.ts'
import type { Admitted, Refused } from '../edge/gate.ts'
import { partyOf } from '../access/party.ts'
import type { BodyReader } from './requests/body-reader.ts'
import type { Cors } from './replies/cors.ts'
import type { RequestOrigin } from './requests/origin.ts'
import type { Readers, ReplyMemory } from './connections/readers.ts'

type Opening = Pick<
  Exchange,
  'id' | 'incoming' | 'response' | 'body' | 'expectsContinue' | 'origin' | 'readers' | 'cors'
>

/** Why a request was refused, for the log. */
export interface ExchangeRefusal {
  readonly reason: string
  /** Whether this is the 401 that asks the client for credentials, or for a token with other scopes. */
  readonly isChallenge: boolean
}

/**
 * One request and its reply, from the parsed head to the last byte. This is a class because each request has one, and
 * V8 makes object literals with a getter slow.
 */
export class Exchange implements ReplyMemory {
  readonly id: string
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly body: BodyReader
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
  /**
   * The start of the request in milliseconds, on a clock that never jumps; with fractions, because whole milliseconds
   * are too coarse for most requests.
   */
  readonly startedAt: number = performance.now()
  readonly origin: RequestOrigin
  /** Set once, by `admit.ts`. */
  admission: Admitted | Refused | undefined = undefined
  /** Set when the request is refused. */
  refusal: ExchangeRefusal | undefined = undefined
  /** The bytes of the reply's body that were sent so far. */
  bytesOut = 0
  readonly readers: Readers
  readonly cors: Cors
  reservedBytes = 0
  begunInTurn: number | undefined = undefined

  constructor(opening: Opening) {
    this.id = opening.id
    this.incoming = opening.incoming
    this.response = opening.response
    this.body = opening.body
    this.expectsContinue = opening.expectsContinue
    this.origin = opening.origin
    this.readers = opening.readers
    this.cors = opening.cors
  }

  /** The caller, once identified. */
  get principal(): Principal | undefined {
    return this.admission?.principal
  }

  /**
   * The party that the memory of this exchange is counted against. It no longer changes once memory is reserved,
   * because the caller is identified by then.
   */
  get party(): string {
    return partyOf(this.principal, this.origin.address)
  }
}
