/** Checks, in the transaction of a change, that its actor may still act, so that nothing happens between check and change. */
import type { Clock } from '../lib/clock.ts'
import { findAccessToken } from '../metadata/identity/access-tokens.ts'
import { findAccountState } from '../metadata/identity/accounts.ts'
import { holdBrowserSession } from '../metadata/identity/browser-sessions.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { Actor } from './actor.ts'
import { endedMeanwhile } from './errors.ts'

type Proof = NonNullable<Actor['proof']>

/**
 * Checks the actor of a change that grants access. Between the decision on the request and the change, a password may be hashed
 * or another request may write. Throws `CredentialsError` if the account was disabled or got a new password in the meantime, or
 * if the session or access token of the request ended. Operators and the registry itself always pass.
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

/** A password does not expire. Idle time does not count: the request itself uses the session. */
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
