/** What a password and the name of an account must be. */
import { NameInvalidError, parseRepositoryName } from '../oci/repository-name.ts'
import { AccountNameError, PasswordRefusedError } from './account-errors.ts'

/** The shortest that NIST SP 800-63B allows. */
const minCharacters = 8
/** Hashing takes any length; a header does not. */
const maxBytes = 1024
/** Leaves room for the image in a repository name of 255 characters. */
const maxNameCharacters = 100

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
}

/** An account owns the repositories below its name, so it is named like one. Throws `AccountNameError`. */
export function checkAccountName(name: string): void {
  if (name.length > maxNameCharacters) {
    throw new AccountNameError(name, `it has more than ${maxNameCharacters} characters`)
  }
  if (name.includes('/')) throw new AccountNameError(name, 'it has a slash')
  try {
    parseRepositoryName(`${name}/image`)
  } catch (error) {
    if (!(error instanceof NameInvalidError)) throw error
    throw new AccountNameError(name, error.detail.reason, { cause: error })
  }
}
