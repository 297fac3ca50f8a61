/**
 * Answers "why may this account" and "who may", for everyone who grants rights. It uses the same sources as decisions on
 * requests: the policy, former names, and the state of accounts and access tokens.
 */
import type { Clock } from '../../lib/clock.ts'
import { findTokenHolder } from '../../metadata/identity/access-tokens.ts'
import { findAccount } from '../../metadata/identity/accounts.ts'
import type { Account } from '../../metadata/identity/accounts.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { ownerOf, parseRepositoryName } from '../../oci/repository-name.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { AccessTokenUnknownError } from '../../identity/access-tokens/access-token-errors.ts'
import { principalOfHolder, stateOfHolder } from '../../identity/access-tokens/token-holder.ts'
import { AccountUnknownError, RobotUnknownError } from '../../identity/accounts/account-errors.ts'
import type { RoleAction } from '../permissions.ts'
import type { Explanation, Policy } from '../policy.ts'
import { anonymous } from '../../identity/principal.ts'
import type { AccountPrincipal, Principal } from '../../identity/principal.ts'
import type { FormerNames } from '../former-names/former-names.ts'
import { knowsStanding, knowsState, knowsTokens, ownerOfAccount } from '../audience.ts'
import type { Asker } from '../audience.ts'
import type { AnonymousMode } from '../decide.ts'
import { deny } from './explain-verdict.ts'
import { listHolders } from './list-holders.ts'
import type { Holder, HolderPage } from './list-holders.ts'
import { describeNameChange, judgeFormerName } from '../former-names/judge-former-name.ts'

export type { Holder, HolderPage }

export interface ExplainRequest {
  /** An account by name, or `anonymous`. */
  readonly principal: string
  /** The id of one of its access tokens; absent: a request with the password. */
  readonly token?: number | undefined
  readonly action: RoleAction
  /** Its name, or a former one. */
  readonly repository: string
  /** A principal that administers the repository or its whole owner; absent: the operator. */
  readonly asker?: Asker
}

export interface AccessExplain {
  /**
   * Returns the answer that a request of the principal would get, and why. If the asker may not know whether the account is
   * disabled or an administrator, neither counts. If it may not know the tokens of the account, they count as missing. Throws
   * `AccountUnknownError`, `RobotUnknownError`, `AccessTokenUnknownError`, `NameInvalidError`.
   */
  explain(asked: ExplainRequest): Promise<Explanation>
  /**
   * Lists everyone who may perform the action in at least one repository that the pattern matches, future ones included, once
   * per reason. A page may have fewer holders than `limit`, even none, while more follow: then `after` is set. For a former name
   * of the owner only `pull` lists anyone, because nothing else is served there. Throws `PatternInvalidError`,
   * `OwnerUnknownError`.
   */
  whoCan(asked: {
    readonly action: RoleAction
    readonly owner: string
    /** Below the owner, see `parsePatternBelow`. */
    readonly repositories: string
    readonly after?: string | undefined
    readonly limit: number
    readonly signal?: AbortSignal | undefined
    /** A principal that administers the owner; absent: the operator. */
    readonly asker?: Asker
  }): Promise<HolderPage>
}

export interface AccessExplainDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly policy: Pick<Policy, 'explain' | 'decideOwner'>
  readonly formerNames: FormerNames
  readonly anonymous: AnonymousMode
}

export function createAccessExplain(deps: AccessExplainDeps): AccessExplain {
  const { metadata, anonymous: mode } = deps
  const explainTo = (principal: Principal, action: RoleAction, repository: RepositoryName) =>
    explainByName(deps, { principal, action, repository })
  return {
    explain: (asked) => explain(deps, asked),
    whoCan: (asked) => listHolders(metadata.reader, { ...asked, anonymous: mode, explain: explainTo }),
  }
}

async function explain(deps: AccessExplainDeps, asked: ExplainRequest): Promise<Explanation> {
  const { principal: name, action } = asked
  const repository = parseRepositoryName(asked.repository)
  // `anonymous` is not an account: the question is what is open to everyone.
  if (name === anonymous.kind) return explainByName(deps, { principal: anonymous, action, repository })
  const found = await findPrincipal(deps, { ...asked, repository })
  return 'refusal' in found ? deny(found.refusal) : explainByName(deps, { ...found, action, repository })
}

interface Question {
  readonly principal: Principal
  readonly action: RoleAction
  readonly repository: RepositoryName
}

/** Explains by the current or a former name of the repository, like the decision on a request. */
async function explainByName(
  { policy, formerNames }: AccessExplainDeps,
  { principal, action, repository }: Question,
): Promise<Explanation> {
  const newName = await formerNames.resolve(repository)
  if (newName === undefined) return policy.explain(principal, action, repository)
  const names = { formerName: repository, newName }
  const judge = (who: Principal, name: RepositoryName) => policy.explain(who, action, name)
  const answer = await judgeFormerName({ principal, isServed: action === 'pull', judge }, names)
  if (answer === 'renamed') return deny(describeNameChange(names))
  // A grant that ends the denial must use the new name.
  return answer.allowed ? answer : policy.explain(principal, action, newName)
}

type Found = { readonly principal: AccountPrincipal } | { readonly refusal: string }

async function findPrincipal(
  deps: AccessExplainDeps,
  asked: ExplainRequest & { readonly repository: RepositoryName },
): Promise<Found> {
  const { principal: name, token, repository, asker } = asked
  const account = await findAccount(deps.metadata.reader, name)
  if (account === undefined) {
    throw name.includes('+') ? new RobotUnknownError(name) : new AccountUnknownError(name)
  }
  const administered = await findAdministered(deps, asker, repository)
  if (token !== undefined) {
    if (!knowsTokens(asker, account, administered)) throw new AccessTokenUnknownError(token)
    return findByToken(deps, account, token)
  }
  if (knowsState(asker, account, administered) && isOut(account)) return { refusal: describeOut(account) }
  const { id: accountId, kind } = account
  const isAdmin = account.isAdmin && knowsStanding(asker, account)
  return { principal: { kind, accountId, name, isAdmin, scopes: undefined } }
}

/** Returns the owner of the repository if the asker administers all of its repositories. */
async function findAdministered(
  { policy, formerNames }: AccessExplainDeps,
  asker: Asker,
  repository: RepositoryName,
): Promise<string | undefined> {
  const owner = ownerOf((await formerNames.resolve(repository)) ?? repository)
  if (asker === undefined) return owner
  return (await policy.decideOwner(asker, 'administer', owner)).allowed ? owner : undefined
}

/** Returns the principal of a request with the access token, or why there is none. */
async function findByToken(
  { metadata, clock }: AccessExplainDeps,
  account: Account,
  id: number,
): Promise<Found> {
  const holder = await findTokenHolder(metadata.reader, { id })
  if (holder?.account.id !== account.id) throw new AccessTokenUnknownError(id)
  const state = stateOfHolder(holder, clock.now())
  if (state === 'granted') return { principal: principalOfHolder(holder, undefined) }
  if (state === 'disabled') return { refusal: describeOut(account) }
  const ended = state === 'revoked' ? 'is revoked' : 'has expired'
  return { refusal: `access token ${id} of ${account.kind} ${account.name} ${ended}` }
}

function isOut({ disabled, ownerDisabled }: Account): boolean {
  return disabled || ownerDisabled
}

function describeOut({ kind, name, disabled }: Account): string {
  return disabled
    ? `${kind} ${name} is disabled`
    : `user ${ownerOfAccount(name)}, who owns ${kind} ${name}, is disabled`
}
