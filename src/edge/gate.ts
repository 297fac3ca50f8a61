/**
 * @module
 * The admission of requests. Every request of `/v2` and of the management API that has a row passes here once, before
 * its handler runs: the gate identifies the caller and decides whether the row may be used. After a wait it decides
 * again in the same way. Handlers check no rights, so none can forget to, except for the source of a mount, which only
 * the handler knows. Rate limits belong here: by address before the caller is identified, and by party after it.
 */
import { anonymous } from '../identity/principal.ts'
import type { Principal } from '../identity/principal.ts'
import type { AdmissionRequest } from './admission-request.ts'
import { checkSite, identify, requireCurrent } from './authenticate.ts'
import type { AuthenticationDeps, Identified } from './authenticate.ts'
import { decide } from './decide.ts'
import type { DecisionDeps, Granted } from './decide.ts'
import { DeniedError, UnauthorizedError } from './errors.ts'
import { asksWho } from './need.ts'
import type { Asked } from './need.ts'

export interface GateDeps extends AuthenticationDeps, DecisionDeps {}

export interface Admitted extends Granted {
  readonly isAdmitted: true
  /**
   * Decides again after a wait for a body or for memory. Throws the refusal if the credential or the right has since
   * been revoked, so that no change is made without a valid right.
   */
  decideAgain(): Promise<void>
}

/** The result for a caller who is identified and may not make the request. */
export interface Refused {
  readonly isAdmitted: false
  readonly principal: Principal
  /** The error that the caller of `admit` throws. */
  readonly refusal: unknown
}

export interface Gate {
  /** Throws the error of a failed authentication, which leaves the caller unknown. */
  admit(request: AdmissionRequest, asked: Asked): Promise<Admitted | Refused>
}

export function createGate(deps: GateDeps): Gate {
  return { admit: (request, asked) => admit({ request, asked }, deps) }
}

interface Question {
  readonly request: AdmissionRequest
  readonly asked: Asked
}

const nobody: Identified = Object.freeze({ principal: anonymous, ignored: undefined })

async function admit(question: Question, deps: GateDeps): Promise<Admitted | Refused> {
  const { request, asked } = question
  const isIdentified = asksWho(asked)
  const needsAccount = isIdentified && request.crossOrigin === 'with-account'
  if (!needsAccount) checkSite(request)
  const { principal, ignored } = isIdentified ? await identify(request, asked.need, deps) : nobody
  try {
    const granted = await decide(principal, asked, deps)
    // A page of any origin may use the token of an account. Only here is it known whether the token has one.
    if (needsAccount && principal.kind === 'anonymous') checkSite(request)
    const { repository, push } = granted
    const again = (): Promise<void> => decideAgain(question, { principal, push }, deps)
    return { isAdmitted: true, principal: granted.principal, repository, push, decideAgain: again }
  } catch (error) {
    return { isAdmitted: false, principal, refusal: isByRights(error) ? (ignored ?? error) : error }
  }
}

function isByRights(error: unknown): boolean {
  return error instanceof UnauthorizedError || error instanceof DeniedError
}

async function decideAgain(
  { request, asked }: Question,
  { principal, push }: Pick<Granted, 'principal' | 'push'>,
  deps: GateDeps,
): Promise<void> {
  if (!asksWho(asked)) return
  await requireCurrent(request, principal, deps)
  const now = await decide(principal, asked, deps)
  const isLess = (push.create && !now.push.create) || (push.update && !now.push.update)
  if (isLess)
    throw new DeniedError('rights were revoked while the body arrived: push again with the remaining rights')
}
