/** Parties share memory and turns: many requests of one party do not delay the requests of another. */
import { principalId } from '../identity/principal.ts'
import type { Principal } from '../identity/principal.ts'
import { groupAddress } from '../lib/group-address.ts'
import { ownerOfAccount } from './audience.ts'

/**
 * Returns the party of a request: the user, all robots of an owner, or the address of an anonymous client. `principal` is
 * `undefined` before authentication, `address` for calls that do not come from the network.
 */
export function partyOf(principal: Principal | undefined, address = ''): string {
  if (principal === undefined || principal.kind === 'anonymous') return groupAddress(address)
  // An administrator of an owner can create any number of robots.
  return principal.kind === 'robot' ? `robots of ${ownerOfAccount(principal.name)}` : principalId(principal)
}
