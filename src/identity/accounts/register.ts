/** Self-registration of accounts, if the configuration allows it. Throttled like logins. */
import type { AccountsDeps } from './accounts-deps.ts'
import {
  AccountError,
  AccountExistsError,
  describeTaken,
  FormerNameError,
  OwnerTakenError,
  RegistrationOffError,
} from './account-errors.ts'
import { actorOf } from '../actor.ts'
import type { Actor } from '../actor.ts'
import type { Origin } from '../identity.ts'
import type { LoginThrottle } from '../passwords/login-throttle.ts'
import { checkAccountName, checkPassword } from '../passwords/password-rules.ts'
import { anonymous } from '../principal.ts'

export interface RegistrationDeps extends AccountsDeps {
  readonly throttle: LoginThrottle
  readonly selfRegistration: boolean
}

export interface Registration {
  readonly name: string
  readonly password: string
}

type AddUser = (user: Registration & { readonly isAdmin: false }, actor: Actor) => Promise<void>

/** Throws `RegistrationOffError`, `TooManyAttemptsError`, and the errors of `add`; a taken name counts as a failure. */
export async function register(
  { throttle, selfRegistration, add }: RegistrationDeps & { readonly add: AddUser },
  { name, password }: Registration,
  origin: Origin,
): Promise<void> {
  if (!selfRegistration) throw new RegistrationOffError()
  checkAccountName(name)
  checkPassword(name, password)
  let refusal: AccountError | undefined
  await throttle.guard({ account: name, address: origin.address }, async () => {
    try {
      await add({ name, password, isAdmin: false }, actorOf(anonymous, origin))
      return true
    } catch (error) {
      if (!(error instanceof AccountError)) throw error
      refusal = isTaken(error) ? hideOwner(name, error) : error
      return undefined
    }
  })
  if (refusal !== undefined) throw refusal
}

function isTaken(error: AccountError): boolean {
  return [AccountExistsError, OwnerTakenError, FormerNameError].some((kind) => error instanceof kind)
}

/** Anyone may register, so the refusal hides whether a user, an organization or a former owner has the name. */
function hideOwner(name: string, error: AccountError): AccountExistsError {
  return new AccountExistsError(name, { cause: error, discreet: describeTaken(name) })
}
