/**
 * Verifies bearer tokens. Only the key that the installation stores under the token's `kid` counts: keys and key addresses inside
 * a token are ignored, and only one algorithm is accepted.
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
  /**
   * Throws `CredentialsError` with `invalid_token`, and with `isForeign` if neither the key nor the issuer belongs to this
   * installation. Does not check the account, which may have been disabled since.
   */
  verify(token: string): Promise<VerifiedToken>
}

export interface TokenVerifierDeps {
  readonly keys: Pick<SigningKeys, 'find' | 'isValid'>
  readonly clock: Clock
  /** The installation's id. */
  readonly issuer: string
}

export function createTokenVerifier({ keys, clock, issuer }: TokenVerifierDeps): TokenVerifier {
  return {
    async verify(token) {
      try {
        const kid = findKeyId(token)
        if (findIssuer(token) !== issuer) {
          // A client may send such a token with each pull. `isValid` reads no keys; `find` would read them for every unknown id.
          throw invalidToken({ isForeign: kid === undefined || !(await keys.isValid(kid)) })
        }
        const key = kid === undefined ? undefined : await keys.find(kid)
        if (kid === undefined || key === undefined) throw invalidToken()
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

/** Returns `undefined` if the token is not a JWT. */
function findKeyId(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid ?? ''
  } catch {
    return undefined
  }
}

/** Returns the issuer that the token claims, which proves nothing; `undefined` if it is not a JWT. */
function findIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

/** Hides the fault of a token. A database that does not answer is not a fault of the token. */
function explain(error: unknown): unknown {
  if (error instanceof CredentialsError) return error
  if (error instanceof errors.JOSEError || error instanceof TypeError) return invalidToken({ cause: error })
  return error
}
