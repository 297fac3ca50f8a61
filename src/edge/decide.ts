/**
 * Decides whether a principal may use a row, before its handler runs and again after a wait. Existing and missing
 * content get the same refusals.
 */
import { openVisibilities } from '../access/access-policy.ts'
import type { FormerNames } from '../access/former-names/former-names.ts'
import {
  describeNameChange,
  judgeFormerName,
  underNewName,
} from '../access/former-names/judge-former-name.ts'
import type { Permission } from '../access/permissions.ts'
import type { Action, Decision, Policy, PushRights } from '../access/policy.ts'
import type { Principal } from '../identity/principal.ts'
import { isReady } from '../lib/maybe-promise.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import type { Owner } from '../organizations/owners.ts'
import { checkCaller, checkGives } from './check-caller.ts'
import { DeniedError, NotVisibleError, UnauthorizedError } from './errors.ts'
import type { Asked, Need, Target } from './need.ts'

export interface DecisionDeps {
  readonly policy: Policy
  readonly formerNames: FormerNames
  readonly owners: { find(name: string): Promise<Owner | undefined> }
}

/** The caller, repository and push rights that the handler may use. */
export interface Granted {
  readonly principal: Principal
  /** The repository under its current name; `undefined` if the path names none. */
  readonly repository: RepositoryName | undefined
  readonly push: PushRights
}

interface Question {
  readonly principal: Principal
  readonly target: Target
}

type Decider = (question: Question, deps: DecisionDeps) => Promise<Granted> | Granted

const noPush: PushRights = Object.freeze({ create: false, update: false })

/** The type requires an entry for every need: a new need without a decision does not compile. */
const deciders: Readonly<Record<Need, Decider>> = {
  none: grant,
  enter: grant,
  catalog: grant,
  pull: (question, deps) => decideAction('pull', question, deps),
  push: (question, deps) => decideAction('push', question, deps),
  delete: (question, deps) => decideAction('delete', question, deps),
  public: grant,
  user: grant,
  self: grant,
  administrator: grant,
  'owner:see': seeOwner,
  'owner:administer': administerOwner,
  'repository:pull': (question, deps) => decideRepository(['pull'], question, deps),
  'repository:administer': administerRepository,
  'repository:manage': (question, deps) => decideRepository(['manage'], question, deps),
  'repository:delete': (question, deps) => decideRepository(['delete', 'manage'], question, deps),
}

/** Throws `UnauthorizedError` if other credentials may help, `DeniedError` if none do, and `NotVisibleError`. */
export function decide(principal: Principal, asked: Asked, deps: DecisionDeps): Promise<Granted> | Granted {
  const { need, gives } = asked
  checkCaller(need, principal, deps.policy)
  const target = typeof asked.target === 'function' ? asked.target() : asked.target
  if (gives !== undefined) checkGives(gives, principal, target.token)
  return deciders[need]({ principal, target }, deps)
}

function grant({ principal, target: { repository } }: Question): Granted {
  return { principal, repository, push: noPush }
}

async function decideAction(
  action: Action,
  { principal, target }: Question,
  { policy, formerNames }: DecisionDeps,
): Promise<Granted> {
  const repository = repositoryOf(target)
  const found = formerNames.resolve(repository)
  const newName = isReady(found) ? found : await found
  if (newName === undefined) {
    const push = checkDecision(await policy.decide(principal, action, repository))
    return { principal, repository, push: push ?? noPush }
  }
  const names = { formerName: repository, newName }
  const judge = (who: Principal, name: RepositoryName) => policy.decide(who, action, name)
  const decision = await judgeFormerName({ principal, isServed: action === 'pull', judge }, names)
  if (decision === 'renamed') throw new DeniedError(describeNameChange(names))
  checkDecision(decision)
  return { principal: underNewName(principal, names), repository: newName, push: noPush }
}

async function decideRepository(
  permissions: readonly Permission[],
  question: Question,
  { policy }: DecisionDeps,
): Promise<Granted> {
  const repository = repositoryOf(question.target)
  for (const permission of permissions) {
    checkDecision(await policy.decide(question.principal, permission, repository))
  }
  return grant(question)
}

/**
 * Admits administrators of the repository, also if the path has its former name. A refusal names the repository as the
 * caller wrote it, so that a former name does not reveal the new one.
 */
async function administerRepository(question: Question, deps: DecisionDeps): Promise<Granted> {
  const formerName = repositoryOf(question.target)
  const newName = await deps.formerNames.resolve(formerName)
  if (newName === undefined) return decideRepository(['administer'], question, deps)
  const judge = (who: Principal, name: RepositoryName) => deps.policy.decide(who, 'administer', name)
  const { principal } = question
  checkDecision(await judgeFormerName({ principal, isServed: true, judge }, { formerName, newName }))
  return grant(question)
}

async function seeOwner(question: Question, { owners, policy }: DecisionDeps): Promise<Granted> {
  const name = ownerNameOf(question.target)
  const owner = await owners.find(name)
  if (owner === undefined || !(await seesOwner(question.principal, owner, policy)))
    throw new NotVisibleError(`owner ${name}`)
  return grant(question)
}

async function administerOwner(question: Question, { policy }: DecisionDeps): Promise<Granted> {
  checkDecision(await policy.decideOwner(question.principal, 'administer', ownerNameOf(question.target)))
  return grant(question)
}

/** Whether the visibility of the owner, or a right on everything it owns, lets the principal see it. */
export async function seesOwner(
  principal: Principal,
  { name, visibility }: Pick<Owner, 'name' | 'visibility'>,
  policy: Pick<Policy, 'decideOwner'>,
): Promise<boolean> {
  if (openVisibilities(principal).includes(visibility)) return true
  return (await policy.decideOwner(principal, 'pull', name)).allowed
}

/** Throws if the row has no repository: that is a bug, and the request must not be served. */
function repositoryOf({ repository }: Target): RepositoryName {
  if (repository === undefined) throw new Error('a row that needs a right in a repository has no repository')
  return repository
}

function ownerNameOf({ owner }: Target): string {
  if (owner === undefined) throw new Error('a row that needs a right on an owner has no owner')
  return owner
}

function checkDecision(decision: Decision): PushRights | undefined {
  if (decision.allowed) return decision.push
  if (decision.refusal === 'rights') throw new DeniedError(decision.reason)
  throw new UnauthorizedError(
    decision.reason,
    decision.refusal === 'scope' ? 'insufficient_scope' : undefined,
  )
}
