/**
 * Records the refused pushes and deletions of identified callers in the audit. A request is refused with a 403, or with
 * a token that was requested for the action and issued without it, which is how clients with bearer tokens are refused.
 */
import type { Audit } from '../audit/audit.ts'
import { actorOf } from '../identity/actor.ts'
import type { Principal } from '../identity/principal.ts'
import type { Scope } from '../access/scope.ts'
import type { Exchange } from './exchange.ts'
import type { RegistryRequest } from './requests/request.ts'
import type { Match } from './router.ts'

interface Refused {
  readonly action: 'push' | 'delete'
  readonly name: string
}

/** Records the refusal behind a reply with 401 or 403. */
export function auditRefusal(
  { principal, origin }: Exchange,
  { match, status }: { readonly match: Match | undefined; readonly status: number },
  audit: Pick<Audit, 'recordOnce'>,
): void {
  const action = match?.route?.action
  const name = match?.name
  if (principal === undefined || name === undefined) return
  if (action !== 'push' && action !== 'delete') return
  if (status === 401 && (principal.kind === 'anonymous' || !wasRefused(principal, { action, name }))) return
  recordRefusal(actorOf(principal, origin), { action, name }, audit)
}

/**
 * Whether a 401 only asks for credentials, or for a token with other scopes. Clients get one before they send their
 * credentials, so it does not mean that the caller lacks the right.
 */
export function isChallenge({ incoming, principal }: Exchange, match: Match | undefined): boolean {
  if (incoming.headers.authorization === undefined) return true
  if (principal?.scopes === undefined) return false
  const { action = 'none' } = match?.route ?? {}
  const name = match?.name ?? ''
  // A client without an account has no credentials to send, and its token does not list refused actions.
  if (principal.kind === 'anonymous') return principal.scopes.every((scope) => scope.name !== name)
  return !wasRefused(principal, { action, name })
}

/**
 * Whether the token was requested for this action and issued without it. If it was never requested, the client may only
 * need another token.
 */
function wasRefused({ scopes }: Principal, { action, name }: { action: string; name: string }): boolean {
  const named = scopes?.find((scope) => scope.type === 'repository' && scope.name === name)
  return named?.refused?.includes(action) ?? false
}

/**
 * Records the actions that were requested for a token and not granted. A registry scope permits no change. A client
 * that only reads may request `pull` and `push` together, because the challenge to a HEAD of a blob names both: if it
 * is granted `pull`, its push is recorded only when it is sent. If it is granted neither, it sends no push, because the
 * first step is already refused.
 */
export function auditUngranted(
  {
    principal,
    asked,
    granted,
  }: Record<'asked' | 'granted', readonly Scope[]> & { readonly principal: Principal },
  { origin }: Pick<RegistryRequest, 'origin'>,
  audit: Pick<Audit, 'recordOnce'>,
): void {
  if (principal.kind === 'anonymous') return
  const actor = actorOf(principal, origin)
  for (const { type, name, actions } of asked) {
    const got = granted.find((scope) => scope.type === type && scope.name === name)?.actions ?? []
    const wanted = got.includes('pull') ? (['delete'] as const) : (['push', 'delete'] as const)
    const missing = wanted.find((one) => actions.includes(one) && !got.includes(one))
    if (type === 'repository' && missing !== undefined) recordRefusal(actor, { action: missing, name }, audit)
  }
}

function recordRefusal(
  actor: ReturnType<typeof actorOf>,
  { action, name }: Refused,
  audit: Pick<Audit, 'recordOnce'>,
): void {
  const entry = { action, outcome: 'denied', target: { kind: 'repository', name } } as const
  audit.recordOnce(actor, entry, `${actor.id} ${action} ${name}`)
}
