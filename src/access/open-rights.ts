/** Opens the policy over the database, and its caches of rights. */
import { listGrantsOf } from '../metadata/rights/grants.ts'
import type { Reader } from '../metadata/handles.ts'
import { findOwner, findOwnerByFormerName } from '../metadata/owners/owners.ts'
import type { Owner } from '../metadata/owners/owners.ts'
import { findRepositoryAccess } from '../metadata/repositories/repositories.ts'
import { getRightsVersion } from '../metadata/system/rights-version.ts'
import { createPolicy } from './access-policy.ts'
import type { PolicyOptions } from './access-policy.ts'
import type { Policy } from './policy.ts'
import { createAccessExplain } from './explain/access-explain.ts'
import type { AccessExplain } from './explain/access-explain.ts'
import { createFormerNames, grantFormerNames } from './former-names/former-names.ts'
import type { FormerNames } from './former-names/former-names.ts'
import { createGrants } from './grants/grants.ts'
import type { Grants } from './grants/grants.ts'
import { createGrantsCache } from './grants/grants-cache.ts'
import { createGrantsLoader } from './grants/load-grants.ts'
import { createRoles } from './grants/roles.ts'
import type { RoleDeps, Roles } from './grants/roles.ts'
import { createSeenAccounts } from './explain/seen-accounts.ts'
import type { SeenAccounts } from './explain/seen-accounts.ts'
import { VersionWatch } from './version-watch.ts'

export interface RightsDeps extends RoleDeps, Pick<PolicyOptions, 'anonymous' | 'newRepositoryVisibility'> {}

/** The services that manage rights. */
export interface RightsServices {
  readonly grants: Grants
  readonly roles: Roles
  readonly access: AccessExplain
}

export interface Rights {
  readonly policy: Policy
  /** For tokens: also grants scopes under former names. */
  readonly granting: Pick<Policy, 'grant'>
  readonly formerNames: FormerNames
  readonly seenAccounts: SeenAccounts
  readonly services: RightsServices
}

/** Caches of rights are valid for one version of the rights. */
export function openRights(deps: RightsDeps): Rights {
  const { metadata, anonymous, newRepositoryVisibility } = deps
  const { reader } = metadata
  const version = new VersionWatch({
    now: () => performance.now(),
    getVersion: () => getRightsVersion(reader),
  })
  metadata.onRightsChange(() => version.expire())
  const grants = createGrantsCache({
    version,
    load: createGrantsLoader({ list: (accountId) => listGrantsOf(reader, accountId) }),
  })
  const policy = createPolicy({
    anonymous,
    newRepositoryVisibility,
    findAccess: (repository) => findRepositoryAccess(reader, repository),
    findOwner: (name) => findOwnerOfName(reader, name),
    grantsOf: (accountId) => grants.of(accountId),
  })
  const formerNames = createFormerNames({ version, findOwner: (name) => findOwnerByFormerName(reader, name) })
  const services = {
    grants: createGrants(deps),
    roles: createRoles(deps),
    access: createAccessExplain({ metadata, clock: deps.clock, policy, formerNames, anonymous }),
  }
  const seenAccounts = createSeenAccounts({ reader, policy })
  return { policy, granting: grantFormerNames(policy, formerNames), formerNames, seenAccounts, services }
}

/** Nothing can be created below the former name of an owner: it is as closed as the name of a private owner. */
const reserved: Pick<Owner, 'visibility'> = Object.freeze({ visibility: 'private' })

async function findOwnerOfName(reader: Reader, name: string): Promise<Pick<Owner, 'visibility'> | undefined> {
  const owner = await findOwner(reader, name)
  if (owner !== undefined) return owner
  return (await findOwnerByFormerName(reader, name)) === undefined ? undefined : reserved
}
