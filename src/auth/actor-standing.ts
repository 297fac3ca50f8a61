/** Whether who acts may still act, in the transaction of the change: nothing comes between this look and what it allows. */
import { findAccountState } from '../metadata/accounts.ts'
import type { Transaction } from '../metadata/handles.ts'
import type { Actor } from './actor.ts'
import { endedMeanwhile } from './errors.ts'

/**
 * For changes that give access. Between the decision on a request and its change a password may be hashed, or others may write:
 * who was disabled or changed the password meanwhile gives nothing any more. Operators and the registry itself always may. Throws
 * `CredentialsError`.
 */
export async function requireStanding(tx: Transaction, { proof }: Actor): Promise<void> {
  if (proof === undefined) return
  const state = await findAccountState(tx, proof.accountId)
  if (state === undefined || state.disabled || state.credentialVersion !== proof.credentialVersion) {
    throw endedMeanwhile()
  }
}
