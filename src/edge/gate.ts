/**
 * @module
 * The admission of requests: every request of `/v2` and of the management API that a row answers passes here once, before
 * its handler runs. The gate finds out who asks and decides by what the row needs; after a wait it decides again in the same
 * way. No handler checks rights, so none can forget to. Limits on the rate of requests belong here, after it is known who asks.
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
   * Decides again after a wait, for a body or for memory. Throws the refusal when the credential or the right was taken away
   * meanwhile, so that nothing is changed with what no longer holds.
   */
  decideAgain(): Promise<void>
}

/** The caller is known and may not do this. */
export interface Refused {
  readonly isAdmitted: false
  readonly principal: Principal
  /** Throw it. */
  readonly refusal: unknown
}

export interface Gate {
  /** Throws what authentication fails with: then nothing is known of the caller. */
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
    // A page of any origin may use the token of an account. Whether there is one shows only now.
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
    throw new DeniedError(
      'rights were taken away while the body arrived: push again with those that are left',
    )
}
