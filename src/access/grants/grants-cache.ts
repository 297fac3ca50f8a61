/** Caches the grants of principals while the version of the rights stays the same. */
import type { LruStats } from '../../lib/memory/lru.ts'
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { noGrants } from './held-grants.ts'
import type { HeldGrants } from './held-grants.ts'
import { VersionedCache } from '../versioned-cache.ts'
import type { VersionWatch } from '../version-watch.ts'

export interface GrantsCacheDeps {
  readonly version: Pick<VersionWatch, 'current'>
  readonly load: (accountId: number) => MaybePromise<HeldGrants>
}

export interface GrantsCache {
  of(accountId: number): MaybePromise<HeldGrants>
  stats(): LruStats
}

const maxBytes = 8 * 1024 * 1024
const entryBytes = 200
const grantBytes = 400

export function createGrantsCache({ version, load }: GrantsCacheDeps): GrantsCache {
  return new VersionedCache<number, HeldGrants>({
    version,
    maxBytes,
    weigh: (_, { count }) => entryBytes + grantBytes * count,
    load: (accountId) => andThen(load(accountId), share),
  })
}

/** Most principals have no grants: they share one empty value. */
function share(grants: HeldGrants): HeldGrants {
  return grants.count === 0 ? noGrants : grants
}
