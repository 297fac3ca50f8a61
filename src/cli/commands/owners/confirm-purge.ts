/** Shows what `--purge` deletes and asks for confirmation. */
import { formatCount } from '../../../lib/format-count.ts'
import { CliError, misuse } from '../../frame/command.ts'
import { listPages } from '../../services/list-pages.ts'
import { listRobots } from '../../services/principals.ts'
import type { ServiceInvocation } from '../../services/service-command.ts'

/** The most names shown. A longer list would scroll its first lines away. */
const maxShown = 20

export const yesOption = {
  name: '--yes',
  type: 'switch',
  summary: 'Let --purge delete repositories without asking.',
} as const

/**
 * Lists the repositories and everything else that is deleted on standard error, then asks for the name at the terminal. Throws
 * `CliError` if the answer differs or there is no terminal.
 */
export async function confirmPurge(invocation: ServiceInvocation, name: string): Promise<void> {
  const { host, repositories } = invocation
  if (invocation.arguments.has(yesOption.name)) return
  const { terminal } = host
  if (terminal === undefined) {
    throw misuse(
      `--purge deletes all repositories of ${name}, and there is no terminal to ask for confirmation; add --yes to delete them, or list them with lading repository list --owner ${name}`,
    )
  }
  const pages = listPages(
    (after: string | undefined, limit) => repositories.list({ owner: name, after, limit }),
    (repository): string => repository.name,
  )
  const names = (await Array.fromAsync(pages)).map((repository): string => repository.name)
  for (const line of describe(name, names, await describeRest(invocation, name))) host.err(line)
  if ((await terminal.ask(`Type ${name} to delete all of this: `)).trim() !== name) {
    throw new CliError(`deleted nothing: the answer was not ${name}`)
  }
}

function describe(owner: string, repositories: readonly string[], rest: string): string[] {
  const more = repositories.length - maxShown
  return [
    `This deletes ${owner} with ${formatCount(repositories.length, 'repository', 'repositories')}${rest}:`,
    ...repositories.slice(0, maxShown).map((name) => `  ${name}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    'This cannot be undone.',
  ]
}

/** Returns the number of robots and grants: `, 2 robots, 4 grants`. */
async function describeRest({ robots, grants }: ServiceInvocation, owner: string): Promise<string> {
  const grantPages = listPages(
    (after: number | undefined, limit) => grants.list({ owner, after, limit }),
    ({ id }) => id,
  )
  const counts = [
    [(await Array.fromAsync(listRobots(robots, owner))).length, 'robot'],
    [(await Array.fromAsync(grantPages)).length, 'grant'],
  ] as const
  return counts.flatMap(([count, word]) => (count === 0 ? [] : [`, ${formatCount(count, word)}`])).join('')
}
