/** Who a command is about: a user by its name, a robot as `<owner>+<name>`. */
import { AccountUnknownError, RobotUnknownError } from '../../identity/accounts/account-errors.ts'
import type { Account } from '../../identity/accounts/accounts.ts'
import { listPages } from './list-pages.ts'
import type { ServiceInvocation } from './service-command.ts'
import { listAll } from '../commands/identity/user.ts'

type Principals = Pick<ServiceInvocation, 'accounts' | 'robots'>

/** Throws `AccountUnknownError`, `RobotUnknownError`. */
export async function getPrincipal({ accounts, robots }: Principals, name: string): Promise<Account> {
  const isRobot = name.includes('+')
  const account = await (isRobot ? robots.find(name) : accounts.find(name))
  if (account !== undefined) return account
  throw isRobot ? new RobotUnknownError(name) : new AccountUnknownError(name)
}

/** One, or all of them, users first. */
export async function* selectPrincipals(
  services: Principals,
  name: string | undefined,
): AsyncGenerator<Account> {
  if (name !== undefined) {
    yield await getPrincipal(services, name)
    return
  }
  yield* listAll(services.accounts)
  yield* listRobots(services.robots)
}

export function listRobots(robots: Principals['robots'], owner?: string): AsyncGenerator<Account> {
  return listPages(
    (after: string | undefined, limit) => robots.list({ owner, after, limit }),
    ({ name }) => name,
  )
}
