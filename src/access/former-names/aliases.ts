/** Names that owners gave up: a repository asked for by such a name is the one of the new name, for pulls. */
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { findRepositoryName, ownerOf } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { Policy } from '../policy.ts'
import type { Scope } from '../scope.ts'
import { VersionedCache } from '../versioned-cache.ts'
import type { VersionWatch } from '../version-watch.ts'

export interface Aliases {
  /** What the repository is called now; `undefined` for a name that nobody gave up. */
  resolve(repository: RepositoryName): MaybePromise<RepositoryName | undefined>
}

export interface AliasesDeps {
  readonly version: Pick<VersionWatch, 'current'>
  /** What the owner who had this name is called now. */
  readonly findOwner: (oldName: string) => MaybePromise<string | undefined>
}

interface Known {
  readonly newName: string | undefined
}

/** Some ten thousand owners. */
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
      // Under a longer name of its owner it may be one that cannot exist.
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
 * Grants what may be done under the new name to tokens that were asked for by the old one, and writes the old one into
 * them. That only pulls are served there is not for the token to say: a push is told the new name.
 */
export function grantOldNames(policy: Pick<Policy, 'grant'>, aliases: Aliases): Pick<Policy, 'grant'> {
  return {
    async grant(principal, scopes) {
      const asked = await Promise.all(scopes.map((scope) => renameScope(scope, aliases)))
      const granted = await policy.grant(principal, asked)
      return granted.map((scope, index) => ({ ...scope, name: scopes[index]?.name ?? scope.name }))
    },
  }
}

async function renameScope(scope: Scope, aliases: Aliases): Promise<Scope> {
  const repository = scope.type === 'repository' ? findRepositoryName(scope.name) : undefined
  const newName = repository === undefined ? undefined : await aliases.resolve(repository)
  return newName === undefined ? scope : { ...scope, name: newName }
}
