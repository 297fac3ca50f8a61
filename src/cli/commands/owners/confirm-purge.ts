/** Shows what `--purge` deletes, and asks. */
import { formatCount } from '../../../lib/format-count.ts'
import { CliError, misuse } from '../../frame/command.ts'
import { listPages } from '../../services/list-pages.ts'
import { listRobots } from '../../services/principals.ts'
import type { ServiceInvocation } from '../../services/service-command.ts'

/** Names shown; a longer list would scroll the question's first lines away. */
const mostShown = 20

export const yesOption = {
  name: '--yes',
  type: 'switch',
  summary: 'Do not ask before --purge deletes repositories.',
} as const

/**
 * Lists the repositories and the rest on standard error, then asks for the name at the terminal. Throws `CliError` when
 * the answer differs, and without a terminal.
 */
export async function confirmPurge(invocation: ServiceInvocation, name: string): Promise<void> {
  const { host, repositories } = invocation
  if (invocation.arguments.has(yesOption.name)) return
  const { terminal } = host
  if (terminal === undefined) {
    throw misuse(
      `--purge deletes all repositories of ${name} and there is no terminal to ask at; add --yes to delete them, or see them with lading repository list --owner ${name}`,
    )
  }
  const pages = listPages(
    (after: string | undefined, limit) => repositories.list({ owner: name, after, limit }),
    (repository): string => repository.name,
  )
  const names = (await Array.fromAsync(pages)).map((repository): string => repository.name)
  for (const line of describe(name, names, await describeRest(invocation, name))) host.err(line)
  if ((await terminal.ask(`Type ${name} to delete all of it: `)).trim() !== name) {
    throw new CliError(`deleted nothing: the answer was not ${name}`)
  }
}

function describe(owner: string, repositories: readonly string[], rest: string): string[] {
  const more = repositories.length - mostShown
  return [
    `This deletes ${owner} with ${formatCount(repositories.length, 'repository', 'repositories')}${rest}:`,
    ...repositories.slice(0, mostShown).map((name) => `  ${name}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    'It cannot be undone.',
  ]
}

/** `, 2 robots, 1 team and 4 grants` */
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
