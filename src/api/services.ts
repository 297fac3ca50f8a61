/** The services that the endpoints use. */
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
  /** Lists the repositories that a caller may pull. */
  readonly catalog: Catalog
  /** The value of `delete.enabled`: whether repositories may be deleted. */
  readonly deleteEnabled: boolean
}
