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
  /** The 401 that asks the client for credentials, or for a token with other scopes. */
  readonly isChallenge: boolean
}

/**
 * One request and its reply on the wire, from the parsed head to the last byte. A class, since each request has one: V8 makes
 * a slow object of each literal with a getter.
 */
export class Exchange implements ReplyMemory {
  readonly id: string
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly body: BodyReader
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
  /**
   * By the clock of the process, which nobody sets, in milliseconds with fractions: whole milliseconds say nothing of most
   * requests.
   */
  readonly startedAt: number = performance.now()
  readonly origin: RequestOrigin
  /** Set once, by `admit.ts`. */
  admission: Admitted | Refused | undefined = undefined
  /** Set when the request is refused. */
  refusal: ExchangeRefusal | undefined = undefined
  /** Of the reply's body, so far. */
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

  /** Who asks, once that is known. */
  get principal(): Principal | undefined {
    return this.admission?.principal
  }

  /** Does not change once memory is set aside: by then the authenticator has said who asks. */
  get party(): string {
    return partyOf(this.principal, this.origin.address)
  }
}
