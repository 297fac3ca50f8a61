/**
 * Verifies bearer tokens. Only the key that the installation itself keeps under the token's `kid` counts: keys and
 * addresses of keys inside a token are not looked at, and only one algorithm is accepted.
 */
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import { CredentialsError, invalidToken } from '../errors.ts'
import type { SigningKeys } from './signing-keys.ts'
import { algorithm, audience, parseClaims } from './token-claims.ts'
import type { TokenClaims } from './token-claims.ts'

export interface VerifiedToken extends TokenClaims {
  readonly kid: string
}

export interface TokenVerifier {
  /** Throws `CredentialsError` with `invalid_token`, and `isForeign` where neither key nor issuer is of this installation. Says nothing about the account: it may be disabled since. */
  verify(token: string): Promise<VerifiedToken>
}

export interface TokenVerifierDeps {
  readonly keys: SigningKeys
  readonly clock: Clock
  /** The installation's id. */
  readonly issuer: string
}

export function createTokenVerifier({ keys, clock, issuer }: TokenVerifierDeps): TokenVerifier {
  return {
    async verify(token) {
      try {
        const kid = findKeyId(token)
        const key = kid === undefined ? undefined : await keys.find(kid)
        if (kid === undefined || key === undefined) {
          throw invalidToken({ isForeign: findIssuer(token) !== issuer })
        }
        const { payload } = await jwtVerify(token, key, {
          algorithms: [algorithm],
          typ: 'JWT',
          issuer,
          audience,
          requiredClaims: ['sub', 'iat', 'nbf', 'exp', 'jti'],
          currentDate: new Date(clock.now()),
        })
        return { ...parseClaims(payload), kid }
      } catch (error) {
        throw explain(error)
      }
    },
  }
}

/** `undefined` where the token is no JWT. */
function findKeyId(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid ?? ''
  } catch {
    return undefined
  }
}

/** What a token says of itself, which proves nothing; `undefined` where it is no JWT. */
function findIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

/** What is wrong with a token is nobody's business; a database that does not answer is no fault of the token. */
function explain(error: unknown): unknown {
  if (error instanceof CredentialsError) return error
  if (error instanceof errors.JOSEError || error instanceof TypeError) return invalidToken({ cause: error })
  return error
}
