/**
 * Tells the audit of pushes and deletions that were refused to somebody who said who it is: by 403, or by a token
 * without them, which is how clients with bearer tokens meet it.
 */
import type { Audit } from '../audit/audit.ts'
import { actorOf } from '../auth/actor.ts'
import type { Principal } from '../auth/principal.ts'
import type { Scope } from '../auth/scope.ts'
import type { Exchange } from './exchange.ts'
import type { RegistryRequest } from './request.ts'
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
  recordRefusal(actorOf(principal, { origin, requestId }), { action, name }, audit)
}

/** Of a token: what was asked for beside what it got. A registry scope changes nothing. */
export function auditUngranted(
  {
    principal,
    asked,
    granted,
  }: Record<'asked' | 'granted', readonly Scope[]> & { readonly principal: Principal },
  { origin, id: requestId }: Pick<RegistryRequest, 'origin' | 'id'>,
  audit: Pick<Audit, 'recordOnce'>,
): void {
  if (principal.kind === 'anonymous') return
  const actor = actorOf(principal, { origin, requestId })
  for (const { type, name, actions } of asked) {
    const got = granted.find((scope) => scope.type === type && scope.name === name)?.actions ?? []
    const missing = (['push', 'delete'] as const).find((one) => actions.includes(one) && !got.includes(one))
    if (type === 'repository' && missing !== undefined) recordRefusal(actor, { action: missing, name }, audit)
  }
}

function recordRefusal(
  actor: ReturnType<typeof actorOf>,
  { action, name }: { readonly action: 'push' | 'delete'; readonly name: string },
  audit: Pick<Audit, 'recordOnce'>,
): void {
  const entry = { action, outcome: 'denied', target: { kind: 'repository', name } } as const
  audit.recordOnce(actor, entry, `${actor.id} ${action} ${name}`)
}
