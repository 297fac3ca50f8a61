/** The sender of a request, and how it was authenticated. */
import type { Permission } from '../access/permissions.ts'
import type { RepositoryPattern } from '../access/patterns/repository-pattern.ts'
import type { Scope } from '../access/scope.ts'

export interface AnonymousPrincipal {
  readonly kind: 'anonymous'
  /** The scopes of an anonymous bearer token, which limit the request; `undefined` without one. */
  readonly scopes: readonly Scope[] | undefined
}

export interface AccountPrincipal {
  /** A robot belongs to an owner and has only the rights that it is granted. */
  readonly kind: 'user' | 'robot'
  readonly accountId: number
  /** `<owner>+<name>` for a robot. */
  readonly name: string
  readonly isAdmin: boolean
  /** The scopes of the bearer token, which limit the request; `undefined` without one. */
  readonly scopes: readonly Scope[] | undefined
  /**
   * The version of the account's credentials when the identity was proven. Tokens issued for it become invalid with the next
   * version.
   */
  readonly credentialVersion?: number
  /** The credential that was used: `password`, `access-token:<id>`, `session:<id>`, `refresh-token:<id>`. */
  readonly credential?: string
  /** The refresh token that the bearer token was issued from or with, and with which it ends. */
  readonly refreshTokenId?: number | undefined
  /** The limits of the access token that was used, or from which the bearer token was issued. */
  readonly limits?: TokenLimits | undefined
}

/** An access token narrows the rights of its account and never widens them. */
export interface TokenLimits {
  readonly tokenId: number
  /** `undefined`: all permissions of the account. */
  readonly permissions: ReadonlySet<Permission> | undefined
  /** `undefined`: everywhere. */
  readonly patterns: readonly RepositoryPattern[] | undefined
}

export type Principal = AnonymousPrincipal | AccountPrincipal

export const anonymous: Principal = Object.freeze({ kind: 'anonymous', scopes: undefined })

/** Whether the credential has all rights of its account. */
export function isWhole({ limits }: AccountPrincipal): boolean {
  return limits === undefined || (limits.permissions === undefined && limits.patterns === undefined)
}

/** A stable name of the principal for events, upload sessions and logs. */
export function principalId(
  principal: Pick<AnonymousPrincipal, 'kind'> | Pick<AccountPrincipal, 'kind' | 'accountId'>,
): string {
  return principal.kind === 'anonymous' ? 'anonymous' : `${principal.kind}:${principal.accountId}`
}
