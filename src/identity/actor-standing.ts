/** Checks in the transaction of a change that its actor may still act, so that nothing comes between check and change. */
import type { Clock } from '../lib/clock.ts'
import { findAccessToken } from '../metadata/identity/access-tokens.ts'
import { findAccountState } from '../metadata/identity/accounts.ts'
import { holdBrowserSession } from '../metadata/identity/browser-sessions.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { Actor } from './actor.ts'
import { endedMeanwhile } from './errors.ts'

type Proof = NonNullable<Actor['proof']>

/**
 * For changes that give access. Between the decision on a request and its change, a password may be hashed or others may write.
 * The actor gives nothing if its account was disabled or got a new password in between, or if the session or the access token
 * that it came with ended. Operators and the registry itself always may. Throws `CredentialsError`.
 */
export async function requireStanding(
  tx: Transaction,
  { proof, credential }: Actor,
  clock: Clock,
): Promise<void> {
  if (proof === undefined) return
  const state = await findAccountState(tx, proof.accountId)
  if (state === undefined || state.disabled || state.credentialVersion !== proof.credentialVersion) {
    throw endedMeanwhile()
  }
  if (!(await isOpen(tx, { proof, credential }, clock.now()))) throw endedMeanwhile()
}

/** A password has no end of its own. Idle time does not count: the request itself is a use of the session. */
async function isOpen(
  tx: Transaction,
  { proof, credential = '' }: { readonly proof: Proof; readonly credential: string | undefined },
  now: number,
): Promise<boolean> {
  const [, kind, id] = /^(session|access-token):(\d+)$/.exec(credential) ?? []
  if (kind === undefined) return true
  if (kind === 'session') {
    const session = await holdBrowserSession(tx, Number(id))
    if (session === undefined || session.credentialVersion !== proof.credentialVersion) return false
    return session.accountId === proof.accountId && session.expiresAt > now
  }
  const token = await findAccessToken(tx, Number(id))
  if (token === undefined || token.revokedAt !== undefined) return false
  return token.accountId === proof.accountId && (token.expiresAt ?? Infinity) > now
}
