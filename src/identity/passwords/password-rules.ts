/** The rules for passwords and account names. */
import { isWellFormed } from '../access-tokens/token-format.ts'
import { findUserFault } from '../../oci/owner-name.ts'
import { AccountNameError, PasswordRefusedError } from '../accounts/account-errors.ts'

/** The shortest length that NIST SP 800-63B allows. */
const minCharacters = 8
/** Any length can be hashed, but not sent in a header. */
const maxBytes = 1024

/** Throws `PasswordRefusedError`, whose message never contains the password. */
export function checkPassword(name: string, password: string): void {
  if (Array.from(password).length < minCharacters) {
    throw new PasswordRefusedError(`it must have at least ${minCharacters} characters`)
  }
  if (Buffer.byteLength(password) > maxBytes) {
    throw new PasswordRefusedError(`it must have at most ${maxBytes} bytes`)
  }
  if (password.toLowerCase() === name.toLowerCase()) {
    throw new PasswordRefusedError('it must differ from the name of the account')
  }
  // Sent as a password, it would be treated as an access token.
  if (isWellFormed(password)) throw new PasswordRefusedError('it is an access token; choose another password')
}

/** An account owns the repositories below its name, so its name must be valid in them. Throws `AccountNameError`. */
export function checkAccountName(name: string): void {
  const fault = findUserFault(name)
  if (fault !== undefined) throw new AccountNameError(name, fault)
}
