/** Tells the audit of pushes and deletions that were refused to somebody who said who it is (403). */
import type { Audit } from '../audit/audit.ts'
import { actorOf } from '../auth/actor.ts'
import type { Exchange } from './exchange.ts'
import type { Match } from './router.ts'

export function auditRefusal(
  { principal, origin, id: requestId }: Exchange,
  match: Match | undefined,
  audit: Pick<Audit, 'recordOnce'>,
): void {
  const action = match?.route?.action
  const name = match?.name
  if (principal === undefined || name === undefined) return
  if (action !== 'push' && action !== 'delete') return
  const actor = actorOf(principal, { origin, requestId })
  const entry = { action, outcome: 'denied', target: { kind: 'repository', name } } as const
  audit.recordOnce(actor, entry, `${actor.id} ${name}`)
}
