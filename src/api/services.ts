/** What the endpoints work with: the services of identity and of the management view, the policy and the audit. */
import type { Audit } from '../audit/audit.ts'
import type { Auth } from '../auth/auth.ts'

export interface ApiServices extends Pick<
  Auth,
  | 'authenticator'
  | 'policy'
  | 'accounts'
  | 'sessions'
  | 'accessTokens'
  | 'robots'
  | 'roles'
  | 'grants'
  | 'access'
> {
  readonly audit: Audit
}
