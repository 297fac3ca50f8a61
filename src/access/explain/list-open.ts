/** Finds out whether an action is open to anyone, or to every user, in at least one repository of a pattern. */
import { randomBytes } from 'node:crypto'
import type { Reader } from '../../metadata/handles.ts'
import { listRepositories } from '../../metadata/repositories/list-repositories.ts'
import { findRepositoryName } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { RoleAction } from '../permissions.ts'
import type { Explanation } from '../policy.ts'
import { anonymous } from '../../identity/principal.ts'
import type { Principal } from '../../identity/principal.ts'
import type { RepositoryPattern } from '../patterns/repository-pattern.ts'
import { createNameSet } from '../patterns/name-set.ts'

export type Explain = (
  principal: Principal,
  action: RoleAction,
  repository: RepositoryName,
) => Promise<Explanation>

interface OpenSearch {
  readonly action: RoleAction
  readonly pattern: RepositoryPattern
  readonly explain: Explain
  readonly signal: AbortSignal | undefined
}

export interface Opening {
  readonly kind: 'anyone' | 'users'
  readonly because: string
}

/** A stand-in for a user without any rights: no account has this id. */
const anyUser: Principal = { kind: 'user', accountId: 0, name: '', isAdmin: false, scopes: undefined }

/**
 * Returns who may perform the action without a grant, and why: the policy decides for an example repository. `undefined` if it is
 * open to nobody.
 */
export async function findOpening(db: Reader, search: OpenSearch): Promise<Opening | undefined> {
  const open = await findReason(db, search, anonymous)
  if (open !== undefined) return { kind: 'anyone', because: open }
  const internal = await findReason(db, search, anyUser)
  return internal === undefined ? undefined : { kind: 'users', because: internal }
}

async function findReason(
  db: Reader,
  { action, pattern, explain, signal }: OpenSearch,
  principal: Principal,
): Promise<string | undefined> {
  const ask = async (name: RepositoryName | undefined): Promise<string | undefined> => {
    if (name === undefined) return undefined
    const { allowed, reason } = await explain(principal, action, name)
    return allowed ? reason : undefined
  }
  if (!pattern.includes('*')) return ask(findRepositoryName(pattern))
  const visible = { all: false, public: true, internal: principal.kind === 'user', owner: undefined } as const
  const within = createNameSet([pattern])
  const [shown] = await listRepositories(db, { limit: 1, visible: { ...visible, within }, signal })
  const found = await ask(shown)
  if (found !== undefined) return found
  const toCome = await ask(exampleOf(pattern))
  return toCome === undefined ? undefined : `anyone may create repositories in ${pattern}`
}

/** Returns an unused name that the pattern matches; `undefined` if it would not be valid. */
function exampleOf(pattern: RepositoryPattern): RepositoryName | undefined {
  const part = randomBytes(8).toString('hex')
  return findRepositoryName(pattern.replaceAll(/\*\*?/g, part))
}
