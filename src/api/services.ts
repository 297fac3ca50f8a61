/** What the endpoints work with: the services of identity and of the management view, and the policy. */
import type { Accounts } from '../auth/accounts.ts'
import type { Authenticator } from '../auth/identity.ts'
import type { Policy } from '../auth/policy.ts'

export interface ApiServices {
  readonly authenticator: Authenticator
  readonly policy: Policy
  readonly accounts: Accounts
}
