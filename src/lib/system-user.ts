/** The user of the operating system that runs this process. */
import { userInfo } from 'node:os'

/** Returns the user name, or an empty text if the user id has no name, as is common in containers. */
export function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}
