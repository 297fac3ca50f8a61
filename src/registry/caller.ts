/** The caller of a request: for the audit, for the ownership of sessions, and for visibility. */
import type { Origin } from '../identity/identity.ts'
import { partyOf } from '../access/party.ts'
import type { Policy, PushRights } from '../access/policy.ts'
import type { Principal } from '../identity/principal.ts'

export interface Caller {
  readonly principal: Principal
  /** The decision of the policy for this request; grants nothing unless the request is a push. */
  readonly push: PushRights
  /** Absent if the call does not come from a network request. */
  readonly origin?: Origin | undefined
}

/** The part of the policy that the registry itself uses; whether the caller may make the request has already been decided. */
export type RegistryPolicy = Pick<Policy, 'visibleTo' | 'newRepositoryVisibility'>

/** The party of the caller, where parties take turns. */
export function partyOfCaller({ principal, origin }: Caller): string {
  return partyOf(principal, origin?.address)
}
