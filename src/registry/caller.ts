/** Who asks: for the audit, for the ownership of sessions, and for what may be seen. */
import type { Origin } from '../identity/identity.ts'
import type { Policy, PushRights } from '../access/policy.ts'
import type { Principal } from '../identity/principal.ts'

export interface Caller {
  readonly principal: Principal
  /** As the policy decided for this request: nothing where it was not about a push. */
  readonly push: PushRights
  /** Absent where no request came over the network. */
  readonly origin?: Origin | undefined
}

/** What the registry itself asks of the policy; that the caller may do what it asks for was decided before. */
export type RegistryPolicy = Pick<Policy, 'visibleTo' | 'newRepositoryVisibility'>
