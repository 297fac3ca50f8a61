/** Who asks, as the registry needs to know it: for the audit, for session ownership, and for what may be seen. */
import type { Whence } from '../auth/actor.ts'
import type { Policy, PushRights } from '../auth/policy.ts'
import type { Principal } from '../auth/principal.ts'

export interface Caller extends Whence {
  readonly principal: Principal
  /** As the policy decided for this request: nothing where it was not about a push. */
  readonly push: PushRights
  readonly requestId: string
}

/** What the registry itself asks of the policy; that the caller may do what it asks for was decided before. */
export type RegistryPolicy = Pick<Policy, 'visibleTo' | 'newRepositoryVisibility'>
