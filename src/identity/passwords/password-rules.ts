/** What a password and the name of an account must be. */
import { isWellFormed } from '../access-tokens/token-format.ts'
import { findUserFault } from '../../oci/owner-name.ts'
import { AccountNameError, PasswordRefusedError } from '../accounts/account-errors.ts'

/** The shortest that NIST SP 800-63B allows. */
const minCharacters = 8
/** Hashing takes any length; a header does not. */
const maxBytes = 1024

/** Throws `PasswordRefusedError`, whose message never holds the password. */
export function checkPassword(name: string, password: string): void {
  if (Array.from(password).length < minCharacters) {
    throw new PasswordRefusedError(`a password has ${minCharacters} characters at least`)
  }
  if (Buffer.byteLength(password) > maxBytes) {
    throw new PasswordRefusedError(`a password has ${maxBytes} bytes at most`)
  }
  if (password.toLowerCase() === name.toLowerCase()) {
    throw new PasswordRefusedError('a password is not the name of its account')
  }
  // Where a password stands it would be taken for one.
  if (isWellFormed(password)) throw new PasswordRefusedError('it is an access token')
}

/** An account owns the repositories below its name, so it is named like one. Throws `AccountNameError`. */
export function checkAccountName(name: string): void {
  const fault = findUserFault(name)
  if (fault !== undefined) throw new AccountNameError(name, fault)
}
