/**
 * THE rule on what credentials make: nothing outlives what it came from. Only a password, in this request or at the start
 * of the session, may make accounts, tokens, robots, members and grants, which last until somebody removes them. Every
 * other credential is limited by its time, its actions or its revocation, and cannot make anything that would survive it.
 * The one exception is an access token that replaces itself by one that ends no later and is revoked with it.
 */
import type { Principal } from './principal.ts'

const sessionStart = 'session:'

/** Whether the credential of a request, as principals and the audit name it, is neither a password nor a session. */
export function isLimitedCredential(credential: string): boolean {
  return credential !== 'password' && !credential.startsWith(sessionStart)
}

/** Whether a principal came with a limited credential. Anonymous counts as limited. */
export function isLimited(principal: Principal): boolean {
  if (principal.kind === 'anonymous' || principal.scopes !== undefined) return true
  return principal.credential === undefined || isLimitedCredential(principal.credential)
}

/** Whether the principal sent this access token itself, not a bearer token that was issued from it. */
export function cameWith(principal: Principal, tokenId: number): boolean {
  return (
    principal.kind !== 'anonymous' && principal.scopes === undefined && principal.limits?.tokenId === tokenId
  )
}
