/** Who acts, as the audit records it. */
import type { AuditActor } from '../metadata/audit/audit-trail.ts'
import type { Origin } from './identity.ts'
import { principalId } from './principal.ts'
import type { Principal } from './principal.ts'

export interface Actor extends AuditActor {
  /** The account as it was when the actor was proven: `actor-standing.ts`. Absent: no account acts. */
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

/** The registry itself, where nobody asked for it. */
export const system: Actor = { id: 'system', name: '' }

/** Who works at the command line of the machine, by the name of the system's user. */
export function operator(systemUser: string): Actor {
  return { id: 'operator', name: systemUser }
}
