/** Decides which accounts an asker may know of. A hidden account gets the same answer as a missing one. */
import { findAccount } from '../../metadata/identity/accounts.ts'
import { isConnected } from '../../metadata/owners/members.ts'
import type { Reader } from '../../metadata/handles.ts'
import { findOwner } from '../../metadata/owners/owners.ts'
import { openVisibilities } from '../access-policy.ts'
import type { Policy } from '../policy.ts'
import type { Principal } from '../../identity/principal.ts'
import { isInformed, isSelf, ownerOfAccount } from '../audience.ts'

export interface SeenAccounts {
  /**
   * Whether an account of that name exists that the asker, who administers `at` or a part of it, may know of: its owner is
   * visible to the asker, or it is a member of `at` or has a grant there. Only an administrator of all of `at` can list the latter.
   */
  sees(asker: Principal, name: string, at: string): Promise<boolean>
}

interface SeenAccountsDeps {
  readonly reader: Reader
  readonly policy: Pick<Policy, 'decideOwner'>
}

export function createSeenAccounts({ reader, policy }: SeenAccountsDeps): SeenAccounts {
  return {
    async sees(asker, name, at) {
      const account = await findAccount(reader, name)
      if (account === undefined) return false
      if (isInformed(asker) || isSelf(asker, account.id)) return true
      const ownerName = ownerOfAccount(name)
      const owner = await findOwner(reader, ownerName)
      if (owner !== undefined && openVisibilities(asker).includes(owner.visibility)) return true
      if ((await policy.decideOwner(asker, 'pull', ownerName)).allowed) return true
      if (!(await policy.decideOwner(asker, 'administer', at)).allowed) return false
      return isConnected(reader, { owner: at, accountId: account.id })
    },
  }
}
