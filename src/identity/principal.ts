/** Who makes a request, and how that was proven. */
import type { Permission } from '../access/permissions.ts'
import type { RepositoryPattern } from '../access/patterns/repository-pattern.ts'
import type { Scope } from '../access/scope.ts'

export interface AnonymousPrincipal {
  readonly kind: 'anonymous'
  /** The scopes of an anonymous bearer token, which bound the request; `undefined` without one. */
  readonly scopes: readonly Scope[] | undefined
}

export interface AccountPrincipal {
  /** A robot belongs to an owner and has what it is granted, nothing by itself. */
  readonly kind: 'user' | 'robot'
  readonly accountId: number
  /** `<owner>+<name>` for a robot. */
  readonly name: string
  readonly isAdmin: boolean
  /** The scopes of the bearer token, which bound the request; `undefined` without one. */
  readonly scopes: readonly Scope[] | undefined
  /** The account's version when this was proven. A token that was issued then ends with the next version. */
  readonly credentialVersion?: number
  /** The credential that proved it: `password`, `access-token:<id>`, `session:<id>`, `refresh-token:<id>`. */
  readonly credential?: string
  /** The refresh token that the bearer token was issued from or with, and ends with. */
  readonly refreshTokenId?: number | undefined
  /** The limits of the access token that proved it, or that its bearer token was issued from. */
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
