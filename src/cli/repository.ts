/** `lading repository list|set|delete`. */
import { parseRepositoryName } from '../oci/repository-name.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { parseChoice } from './arguments.ts'
import { CliError } from './command.ts'
import type { Command } from './command.ts'
import type { ListedRepository, Repositories } from './open-services.ts'
import { defineServiceCommand, formatTable } from './service-command.ts'

const pageSize = 1_000
const visibilities = ['private', 'internal', 'public'] as const

const listCommand = defineServiceCommand({
  name: 'repository list',
  summary: 'List the repositories with their visibility. A stricter owner wins: both must be public.',
  jsonShape: '[{"name": string, "visibility": string, "ownerVisibility": string}]',
  run: async ({ repositories, print }) => {
    const all = await Array.fromAsync(listAll(repositories))
    print(
      all.map(({ name, visibility, ownerVisibility }) => ({ name, visibility, ownerVisibility })),
      formatTable([
        ['NAME', 'VISIBILITY', 'OWNER'],
        ...all.map(({ name, visibility, ownerVisibility }) => [name, visibility, ownerVisibility]),
      ]),
    )
  },
})

async function* listAll(repositories: Repositories): AsyncGenerator<ListedRepository> {
  let after: string | undefined
  do {
    const page = await repositories.list({ after, limit: pageSize })
    yield* page
    after = page.length < pageSize ? undefined : page.at(-1)?.name
  } while (after !== undefined)
}

const setCommand = defineServiceCommand({
  name: 'repository set',
  summary: 'Change a repository; the next request sees it.',
  words: ['<name>'],
  flags: [
    {
      name: '--visibility',
      value: visibilities.join('|'),
      summary: 'Who may pull: its owner and administrators, every user, or everyone.',
    },
  ],
  jsonShape: '{"name": string, "visibility": string, "before": string}',
  run: async ({ arguments: args, repositories, actor, host, print }) => {
    const name = parseRepositoryName(args.words[0] ?? '')
    const visibility = parseChoice('--visibility', args.value('--visibility'), visibilities)
    const before = await repositories.setVisibility(name, visibility, actor)
    if (before === undefined) throw unknownRepository(name)
    print({ name, visibility, before }, `${name} is ${visibility} now (it was ${before})`)
    const access = await repositories.find(name)
    if (access === undefined || visibility === 'private' || access.ownerVisibility === 'public') return
    host.err(
      `warning: the owner ${access.ownerName} is ${access.ownerVisibility}, and the stricter of the two counts`,
    )
  },
})

const deleteCommand = defineServiceCommand({
  name: 'repository delete',
  summary: 'Delete a repository with all its tags and manifests. It cannot be undone.',
  words: ['<name>'],
  jsonShape: '{"name": string, "deleted": true}',
  run: async ({ arguments: { words }, repositories, actor, print }) => {
    const name = parseRepositoryName(words[0] ?? '')
    if (!(await repositories.delete(name, actor))) throw unknownRepository(name)
    print(
      { name, deleted: true },
      `deleted ${name}; bytes that nothing else uses go with the next run of the collector`,
    )
  },
})

function unknownRepository(name: RepositoryName): CliError {
  return new CliError(`there is no repository ${name}; lading repository list shows those that are`)
}

export const repositoryCommands: readonly Command[] = [listCommand, setCommand, deleteCommand]
