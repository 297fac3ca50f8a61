/**
 * Loads the grants of an account. A member of many teams may have thousands of grants, which take long to read. Such an account
 * is read in its own turn of the event loop, and requests that wait for it share the result.
 */
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { Turns, type Loop } from '../../lib/turns/turns.ts'
import type { GrantOf } from '../../metadata/rights/grants.ts'
import { holdGrants, type HeldGrants } from './held-grants.ts'

export interface LoadGrantsDeps {
  readonly list: (accountId: number) => MaybePromise<GrantOf[]>
  /** Tests pass their own. */
  readonly loop?: Loop
}

const manyGrants = 1_000
const maxRemembered = 10_000

/** Returns a function that answers immediately if the database does, unless the account is known to have many grants. */
export function createGrantsLoader({
  list,
  loop,
}: LoadGrantsDeps): (accountId: number) => MaybePromise<HeldGrants> {
  const large = new Set<number>()
  const waiting = new Map<number, Promise<HeldGrants>>()
  const hold = (accountId: number, rows: readonly GrantOf[]): HeldGrants => {
    if (rows.length < manyGrants) large.delete(accountId)
    else if (large.size < maxRemembered) large.add(accountId)
    return holdGrants(rows)
  }
  const read = (accountId: number): MaybePromise<HeldGrants> => {
    const rows = list(accountId)
    return andThen(rows, (found) => hold(accountId, found))
  }
  const readLater = async (accountId: number): Promise<HeldGrants> => {
    await new Turns({ party: `grants of ${accountId}`, ...(loop !== undefined && { loop }) }).rest()
    // Later callers may have seen a newer version of the rights.
    waiting.delete(accountId)
    return read(accountId)
  }
  return (accountId) => {
    if (!large.has(accountId)) return read(accountId)
    const reading = waiting.get(accountId) ?? readLater(accountId)
    waiting.set(accountId, reading)
    return reading
  }
}
