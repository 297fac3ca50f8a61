/** The user of the operating system that runs this process. */
import { userInfo } from 'node:os'

/** Empty where a container runs under a number without a name. */
export function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}
