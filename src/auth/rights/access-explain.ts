/** Answers to "why may they" and "who may", for those who give rights. */
import { findAccount } from '../../metadata/accounts.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import { AccountUnknownError } from '../account-errors.ts'
import type { RoleAction } from '../permissions.ts'
import type { Explanation, Policy } from '../policy.ts'
import { anonymous } from '../principal.ts'
import type { AnonymousMode } from './decide.ts'
import { listHolders } from './list-holders.ts'
import type { Holder, HolderPage } from './list-holders.ts'

export type { Holder, HolderPage }

export interface AccessExplain {
  /**
   * Of an account by name, or of `anonymous`, as if it had logged in with its password. Throws `AccountUnknownError`,
   * `NameInvalidError`.
   */
  explain(asked: {
    readonly principal: string
    readonly action: RoleAction
    readonly repository: string
  }): Promise<Explanation>
  /**
   * Everyone who may do it in at least one of the repositories that the pattern reaches, those that are still to come
   * among them; who may for several reasons is there for each. A page may have fewer than `limit`, even none, and still
   * others follow: `after` tells. Throws `PatternInvalidError`, `OwnerUnknownError`.
   */
  whoCan(asked: {
    readonly action: RoleAction
    readonly on: string
    readonly after?: string | undefined
    readonly limit: number
    readonly signal?: AbortSignal | undefined
  }): Promise<HolderPage>
}

export interface AccessExplainDeps {
  readonly metadata: Metadata
  readonly policy: Pick<Policy, 'explain'>
  readonly anonymous: AnonymousMode
}

export function createAccessExplain(deps: AccessExplainDeps): AccessExplain {
  return {
    explain: (asked) => explain(deps, asked),
    whoCan: (asked) => listHolders(deps.metadata.reader, { ...asked, anonymous: deps.anonymous }),
  }
}

async function explain(
  { metadata, policy }: AccessExplainDeps,
  asked: { principal: string; action: RoleAction; repository: string },
): Promise<Explanation> {
  const { principal: name, action } = asked
  const repository = parseRepositoryName(asked.repository)
  // A user may have that name: who asks this wants to know what is open to the world.
  if (name === anonymous.kind) return policy.explain(anonymous, action, repository)
  const account = await findAccount(metadata.reader, name)
  if (account === undefined) throw new AccountUnknownError(name)
  const { id: accountId, kind, isAdmin, disabled } = account
  if (disabled) {
    const text = `denied because ${kind} ${name} is disabled`
    return { allowed: false, text, grantId: undefined, remedy: undefined }
  }
  return policy.explain({ kind, accountId, name, isAdmin, scopes: undefined }, action, repository)
}
