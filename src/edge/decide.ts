/**
 * Whether a row may be served to a principal: by what the row needs, before its handler runs, and again after a wait.
 * Refusals say the same of what exists and of what does not.
 */
import { openVisibilities } from '../access/access-policy.ts'
import type { Aliases } from '../access/former-names/aliases.ts'
import { describeOldName, judgeOldName, underNewName } from '../access/former-names/old-names.ts'
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
  readonly aliases: Aliases
  readonly owners: { find(name: string): Promise<Owner | undefined> }
}

/** What the handler may act on. */
export interface Granted {
  readonly principal: Principal
  /** By its present name; `undefined` where the path has none. */
  readonly repository: RepositoryName | undefined
  readonly push: PushRights
}

interface Question {
  readonly principal: Principal
  readonly target: Target
}

type Decider = (question: Question, deps: DecisionDeps) => Promise<Granted> | Granted

const noPush: PushRights = Object.freeze({ create: false, update: false })

/** Complete by type: a new need does not compile without its decision. */
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

/** Throws `UnauthorizedError` where other credentials may help, `DeniedError` where none do, and `NotVisibleError`. */
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
  { policy, aliases }: DecisionDeps,
): Promise<Granted> {
  const repository = repositoryOf(target)
  const found = aliases.resolve(repository)
  const newName = isReady(found) ? found : await found
  if (newName === undefined) {
    const push = checkDecision(await policy.decide(principal, action, repository))
    return { principal, repository, push: push ?? noPush }
  }
  const names = { oldName: repository, newName }
  const judge = (who: Principal, name: RepositoryName) => policy.decide(who, action, name)
  const decision = await judgeOldName({ principal, isServed: action === 'pull', judge }, names)
  if (decision === 'renamed') throw new DeniedError(describeOldName(names))
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
 * Anyone who administers the repository may have its old name explained. A refusal names the repository as it was asked
 * for, so that an old name leads nobody to the new one.
 */
async function administerRepository(question: Question, deps: DecisionDeps): Promise<Granted> {
  const oldName = repositoryOf(question.target)
  const newName = await deps.aliases.resolve(oldName)
  if (newName === undefined) return decideRepository(['administer'], question, deps)
  const judge = (who: Principal, name: RepositoryName) => deps.policy.decide(who, 'administer', name)
  const { principal } = question
  checkDecision(await judgeOldName({ principal, isServed: true, judge }, { oldName, newName }))
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

/** By the visibility of the owner, or by a right on everything that it has. */
export async function seesOwner(
  principal: Principal,
  { name, visibility }: Pick<Owner, 'name' | 'visibility'>,
  policy: Pick<Policy, 'decideOwner'>,
): Promise<boolean> {
  if (openVisibilities(principal).includes(visibility)) return true
  return (await policy.decideOwner(principal, 'pull', name)).allowed
}

/** A row without its target is a fault of ours, and must not be served. */
function repositoryOf({ repository }: Target): RepositoryName {
  if (repository === undefined) throw new Error('a row that needs a right in a repository names none')
  return repository
}

function ownerNameOf({ owner }: Target): string {
  if (owner === undefined) throw new Error('a row that needs a right on an owner names none')
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
