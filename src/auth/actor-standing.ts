/** Checks in the transaction of a change that its actor may still act, so that nothing comes between check and change. */
import { findAccountState } from '../metadata/accounts.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { Actor } from './actor.ts'
import { endedMeanwhile } from './errors.ts'

/**
 * For changes that give access. Between the decision on a request and its change, a password may be hashed or others may write;
 * an account that was disabled or got a new password in between gives nothing. Operators and the registry itself always may.
 * Throws `CredentialsError`.
 */
export async function requireStanding(tx: Transaction, { proof }: Actor): Promise<void> {
  if (proof === undefined) return
  const state = await findAccountState(tx, proof.accountId)
  if (state === undefined || state.disabled || state.credentialVersion !== proof.credentialVersion) {
    throw endedMeanwhile()
  }
}
