/**
 * The rule on what a credential may create: nothing that outlives the credential. Only a password, in this request or at the start
 * of the session, may create accounts, tokens, robots, members and grants, which last until they are removed. Every other
 * credential is limited by time, actions or revocation, and cannot create anything that survives it. The one exception is an access
 * token that replaces itself by one that ends no later and is revoked with it.
 */
import type { Principal } from './principal.ts'

const sessionStart = 'session:'

/** Whether the credential of a request, as named in principals and the audit, is neither a password nor a session. */
export function isLimitedCredential(credential: string): boolean {
  return credential !== 'password' && !credential.startsWith(sessionStart)
}

/** Whether the principal used a limited credential. Anonymous counts as limited. */
export function isLimited(principal: Principal): boolean {
  if (principal.kind === 'anonymous' || principal.scopes !== undefined) return true
  return principal.credential === undefined || isLimitedCredential(principal.credential)
}

/** Whether the principal sent this access token itself, not a bearer token that was issued from it. */
export function usesToken(principal: Principal, tokenId: number): boolean {
  return (
    principal.kind !== 'anonymous' && principal.scopes === undefined && principal.limits?.tokenId === tokenId
  )
}
