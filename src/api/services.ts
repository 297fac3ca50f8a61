/** What the endpoints work with: the services of identity and of the management view, and the policy. */
import type { Audit } from '../audit/audit.ts'
import type { Accounts } from '../auth/accounts.ts'
import type { Authenticator } from '../auth/identity.ts'
import type { Policy } from '../auth/policy.ts'

export interface ApiServices {
  readonly authenticator: Authenticator
  readonly policy: Policy
  readonly accounts: Accounts
  readonly audit: Audit
}
