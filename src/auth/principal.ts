/** Who makes a request, and how that was proven. */
import type { Permission } from './permissions.ts'
import type { RepositoryPattern } from './repository-pattern.ts'
import type { Scope } from './scope.ts'

export interface AnonymousPrincipal {
  readonly kind: 'anonymous'
  /** Of an anonymous bearer token: what the request may do at most. */
  readonly scopes: readonly Scope[] | undefined
}

export interface AccountPrincipal {
  /** A robot belongs to an owner and has what it is granted, nothing by itself. */
  readonly kind: 'user' | 'robot'
  readonly accountId: number
  /** Of a robot `<owner>+<name>`. */
  readonly name: string
  readonly isAdmin: boolean
  /** What the request may do at most, when it came with a bearer token; `undefined` without one. */
  readonly scopes: readonly Scope[] | undefined
  /** Of the account when this was proven: a token made from it ends with the next change. */
  readonly credentialVersion?: number
  /** What proved it, for the audit: `password`, `access-token:<id>`, `session:<id>`, `refresh-token:<id>`. */
  readonly credential?: string
  /** The refresh token that the bearer token was issued from or with, and ends with. */
  readonly refreshTokenId?: number | undefined
  /** Of the access token that proved it, also by way of a bearer token that was issued from it. */
  readonly limits?: TokenLimits | undefined
}

/** An access token narrows what its account may do; it widens nothing. */
export interface TokenLimits {
  readonly tokenId: number
  /** `undefined`: all of the account's. */
  readonly permissions: ReadonlySet<Permission> | undefined
  /** `undefined`: everywhere. */
  readonly patterns: readonly RepositoryPattern[] | undefined
}

export type Principal = AnonymousPrincipal | AccountPrincipal

export const anonymous: Principal = Object.freeze({ kind: 'anonymous', scopes: undefined })

/** Whether the credential may do all that its account may. */
export function isWhole({ limits }: AccountPrincipal): boolean {
  return limits === undefined || (limits.permissions === undefined && limits.patterns === undefined)
}

/** A stable text that names the principal in events, in upload sessions and in logs. */
export function principalId(
  principal: Pick<AnonymousPrincipal, 'kind'> | Pick<AccountPrincipal, 'kind' | 'accountId'>,
): string {
  return principal.kind === 'anonymous' ? 'anonymous' : `${principal.kind}:${principal.accountId}`
}
