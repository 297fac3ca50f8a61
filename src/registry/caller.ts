/** Who asks, as the registry needs to know it: for events, for session ownership, and for what may be seen. */
import type { Policy } from '../auth/policy.ts'
import type { Principal } from '../auth/principal.ts'
import type { Repository } from '../metadata/repositories.ts'

export interface Caller {
  readonly principal: Principal
  readonly requestId: string
}

/** What of other repositories a principal may see, in a form that joins into a query. */
export type VisibleTo = Policy['visibleTo']

export type Visibility = Repository['visibility']
