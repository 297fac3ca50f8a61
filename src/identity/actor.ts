/** The actor of a change, as the audit records it. */
import type { AuditActor } from '../metadata/audit/audit-trail.ts'
import type { Origin } from './identity.ts'
import { principalId } from './principal.ts'
import type { Principal } from './principal.ts'

export interface Actor extends AuditActor {
  /** The account at the time of authentication, for `actor-standing.ts`. Absent: the actor is not an account. */
  readonly proof?: { readonly accountId: number; readonly credentialVersion: number } | undefined
}

export function actorOf(principal: Principal, origin?: Origin): Actor {
  const isAccount = principal.kind !== 'anonymous'
  return {
    id: principalId(principal),
    name: isAccount ? principal.name : '',
    proof: proofOf(principal),
    credential: isAccount ? principal.credential : undefined,
    address: origin?.address,
    client: origin?.client,
    requestId: origin?.requestId,
  }
}

function proofOf(principal: Principal): Actor['proof'] {
  if (principal.kind === 'anonymous' || principal.credentialVersion === undefined) return undefined
  return { accountId: principal.accountId, credentialVersion: principal.credentialVersion }
}

/** The registry itself, for changes without a request. */
export const system: Actor = { id: 'system', name: '' }

/** The operator at the command line, by the name of the system user. */
export function operator(systemUser: string): Actor {
  return { id: 'operator', name: systemUser }
}
