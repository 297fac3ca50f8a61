/** Turns the row of an access token into its principal, with the limits of the token. */
import type { TokenHolder } from '../../metadata/identity/access-tokens.ts'
import { expandActions, isRoleAction } from '../../access/permissions.ts'
import type { AccountPrincipal, TokenLimits } from '../principal.ts'
import type { RepositoryPattern } from '../../access/patterns/repository-pattern.ts'

export type HolderState = 'granted' | 'revoked' | 'expired' | 'disabled'

export function stateOfHolder({ token, account }: TokenHolder, now: number): HolderState {
  if (token.isRevoked) return 'revoked'
  if (token.expiresAt !== undefined && token.expiresAt <= now) return 'expired'
  return account.disabled ? 'disabled' : 'granted'
}

export function principalOfHolder(
  { account, token }: TokenHolder,
  scopes: AccountPrincipal['scopes'],
): AccountPrincipal {
  const { id: accountId, kind, name, isAdmin, credentialVersion } = account
  const credential = `access-token:${token.id}`
  return { kind, accountId, name, isAdmin, scopes, credentialVersion, credential, limits: limitsOf(token) }
}

function limitsOf({ id, actions, patterns }: TokenHolder['token']): TokenLimits {
  return {
    tokenId: id,
    permissions: actions && new Set(expandActions(actions.filter(isRoleAction))),
    patterns: patterns as readonly RepositoryPattern[] | undefined,
  }
}
