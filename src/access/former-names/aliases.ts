/** Former names of owners: a pull by a former name is served from the repository of the new name. */
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { findRepositoryName, ownerOf } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { Policy } from '../policy.ts'
import type { Scope } from '../scope.ts'
import { VersionedCache } from '../versioned-cache.ts'
import type { VersionWatch } from '../version-watch.ts'

export interface Aliases {
  /** The current name of the repository; `undefined` if the name is not a former one. */
  resolve(repository: RepositoryName): MaybePromise<RepositoryName | undefined>
}

export interface AliasesDeps {
  readonly version: Pick<VersionWatch, 'current'>
  /** The current name of the owner that had this name. */
  readonly findOwner: (oldName: string) => MaybePromise<string | undefined>
}

interface Known {
  readonly newName: string | undefined
}

/** Enough for about ten thousand owners. */
const maxBytes = 2 * 1024 * 1024
const entryBytes = 200
const none: Known = Object.freeze({ newName: undefined })

export function createAliases({ version, findOwner }: AliasesDeps): Aliases {
  const known = new VersionedCache<string, Known>({
    version,
    maxBytes,
    weigh: () => entryBytes,
    load: (owner) => andThen(findOwner(owner), toKnown),
  })
  return {
    resolve(repository) {
      const owner = ownerOf(repository)
      // A longer owner name can make the repository name too long to exist.
      return andThen(known.of(owner), ({ newName }) =>
        newName === undefined ? undefined : findRepositoryName(newName + repository.slice(owner.length)),
      )
    },
  }
}

function toKnown(newName: string | undefined): Known {
  return newName === undefined ? none : { newName }
}

/**
 * Grants the rights under the new name to tokens requested for a former name, and writes the former name into them. The token
 * does not limit them to pulls: a push is refused later, with the new name.
 */
export function grantOldNames(policy: Pick<Policy, 'grant'>, aliases: Aliases): Pick<Policy, 'grant'> {
  return {
    async grant(principal, scopes, asker) {
      const asked = await Promise.all(scopes.map((scope) => renameScope(scope, aliases)))
      const granted = await policy.grant(principal, asked, asker)
      return granted.map((scope, index) => ({ ...scope, name: scopes[index]?.name ?? scope.name }))
    },
  }
}

async function renameScope(scope: Scope, aliases: Aliases): Promise<Scope> {
  const repository = scope.type === 'repository' ? findRepositoryName(scope.name) : undefined
  const newName = repository === undefined ? undefined : await aliases.resolve(repository)
  return newName === undefined ? scope : { ...scope, name: newName }
}
