/** From the headers of a request to a principal. */
import { anonymous } from './principal.ts'
import type { Principal } from './principal.ts'

/** The part of a request's headers that proves an identity. */
export interface CredentialHeaders {
  readonly authorization?: string | undefined
}

/** Throws an `OciError` with code `UNAUTHORIZED` for credentials that do not hold. */
export type Authenticate = (headers: CredentialHeaders) => Principal | Promise<Principal>

/** Where nobody has an account everyone is anonymous, whatever credentials a client sends along. */
export const authenticateAnonymously: Authenticate = () => anonymous
