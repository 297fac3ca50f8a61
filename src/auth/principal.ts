/** Who makes a request, and how that was proven. */
import type { Scope } from './scope.ts'

export interface AnonymousPrincipal {
  readonly kind: 'anonymous'
  /** Of an anonymous bearer token: what the request may do at most. */
  readonly scopes: readonly Scope[] | undefined
}

export interface UserPrincipal {
  readonly kind: 'user'
  readonly accountId: number
  readonly name: string
  readonly isAdmin: boolean
  /** What the request may do at most, when it came with a bearer token; `undefined` with a password. */
  readonly scopes: readonly Scope[] | undefined
  /** Of the account when this was proven: a token made from it ends with the next change. */
  readonly credentialVersion?: number
}

export type Principal = AnonymousPrincipal | UserPrincipal

export const anonymous: Principal = Object.freeze({ kind: 'anonymous', scopes: undefined })

/** A stable text that names the principal in events, in upload sessions and in logs. */
export function principalId(principal: Principal): string {
  return principal.kind === 'anonymous' ? 'anonymous' : `user:${principal.accountId}`
}
