/**
 * THE rule on what credentials make: nothing outlives what it came from. What a password proved, in this request or when
 * the session began, may make accounts, tokens, robots, members and grants, which last until somebody takes them back.
 * Every other credential is limited, by time, by its actions or by its revocation, and gives nothing that would survive
 * it. The one exception: an access token replaces itself, by one that ends no later and is revoked with it.
 */
import type { Principal } from './principal.ts'

const sessionStart = 'session:'

/** Whether the credential of a request, as principals and the audit name it, is neither a password nor a session. */
export function isLimitedCredential(credential: string): boolean {
  return credential !== 'password' && !credential.startsWith(sessionStart)
}

/** Whether a principal came with a limited credential. Anonymous, who proved nothing, gives nothing. */
export function isLimited(principal: Principal): boolean {
  if (principal.kind === 'anonymous' || principal.scopes !== undefined) return true
  return principal.credential === undefined || isLimitedCredential(principal.credential)
}

/** Whether the principal came with this access token itself, not with a bearer token that was issued from it. */
export function cameWith(principal: Principal, tokenId: number): boolean {
  return (
    principal.kind !== 'anonymous' && principal.scopes === undefined && principal.limits?.tokenId === tokenId
  )
}
