/** What the endpoints work with: the services of identity and of the management view, the policy and the audit. */
import type { Audit } from '../audit/audit.ts'
import type { Auth } from '../auth.ts'
import type { Organizations } from '../organizations/open-organizations.ts'
import type { Catalog } from '../registry/catalog.ts'

type Identity = Pick<
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
  | 'seenAccounts'
  | 'formerNames'
>

export interface ApiServices extends Identity, Organizations {
  readonly audit: Audit
  /** Of what a caller may pull. */
  readonly catalog: Catalog
  /** `delete.enabled`: whether anything but accounts and rights may be deleted. */
  readonly deleteEnabled: boolean
}
