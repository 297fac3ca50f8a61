import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../auth/principal.ts'
import type { BodyReader } from './body-reader.ts'
import type { RequestOrigin } from './origin.ts'
import type { Readers } from './readers.ts'

/** One request and its reply on the wire, from the parsed head to the last byte. */
export interface Exchange {
  readonly id: string
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  readonly body: BodyReader
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
  /** Milliseconds of the clock of the process, with fractions: it is for durations, and nobody sets it. */
  readonly startedAt: number
  readonly origin: RequestOrigin
  /** Once the authenticator has said it. */
  principal: Principal | undefined
  /** Of the reply's body, so far. */
  bytesOut: number
  readonly readers: Readers
  /** Who answers for its memory: the account, or the address of who has none. Does not change once memory was set aside. */
  readonly party: string
  /** Memory that was set aside for its body or its reply. */
  reservedBytes: number
}
