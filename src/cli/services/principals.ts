/** Finds and lists principals: users by name, robots as `<owner>+<name>`. */
import { AccountUnknownError, RobotUnknownError } from '../../identity/accounts/account-errors.ts'
import type { Account } from '../../identity/accounts/accounts.ts'
import type { Robot } from '../../identity/accounts/robots.ts'
import { listPages } from './list-pages.ts'
import type { Services } from './open-services.ts'

type Principals = Pick<Services, 'accounts' | 'robots'>

/** Throws `AccountUnknownError`, `RobotUnknownError`. */
export async function getPrincipal({ accounts, robots }: Principals, name: string): Promise<Account> {
  const isRobot = name.includes('+')
  const account = await (isRobot ? robots.find(name) : accounts.find(name))
  if (account !== undefined) return account
  throw isRobot ? new RobotUnknownError(name) : new AccountUnknownError(name)
}

/** Yields the named principal or, without a name, all of them, users first. */
export async function* selectPrincipals(
  services: Principals,
  name: string | undefined,
): AsyncGenerator<Account> {
  if (name !== undefined) {
    yield await getPrincipal(services, name)
    return
  }
  yield* listUsers(services.accounts)
  yield* listRobots(services.robots)
}

/** Yields all users in byte order of their names. */
export function listUsers(accounts: Pick<Principals['accounts'], 'list'>): AsyncGenerator<Account> {
  return listPages(
    (after: string | undefined, limit) => accounts.list({ after, limit }),
    ({ name }) => name,
  )
}

/** Yields robots in byte order of their names: all robots, or only the robots of an owner. */
export function listRobots(robots: Principals['robots'], owner?: string): AsyncGenerator<Robot> {
  return listPages(
    (after: string | undefined, limit) => robots.list({ owner, after, limit }),
    ({ name }) => name,
  )
}
