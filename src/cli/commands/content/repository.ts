/** `lading repository list|show|set|delete`. */
import { parseRepositoryName } from '../../../oci/repository-name.ts'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import type { ListedRepository } from '../../../organizations/repositories.ts'
import { listPages } from '../../services/list-pages.ts'
import { parseChoice } from '../../frame/arguments.ts'
import { CliError } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { visibilities } from '../owners/owner.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const listCommand = defineServiceCommand({
  name: 'repository list',
  summary:
    'List the repositories with their visibility and that of their owners. The stricter of the two applies.',
  options: [
    { name: '--owner', type: 'text', value: '<name>', summary: 'Only repositories below this name.' },
  ],
  jsonShape: '[{"name": string, "owner": string, "visibility": string, "ownerVisibility": string}]',
  run: async ({ arguments: args, repositories, printTable }) => {
    const owner = args.value('--owner')
    const pages = listPages(
      (after: string | undefined, limit) => repositories.list({ owner, after, limit }),
      ({ name }): string => name,
    )
    printTable((await Array.fromAsync(pages)).map(describe), {
      NAME: ({ name }) => name,
      VISIBILITY: ({ visibility }) => visibility,
      OWNER: ({ ownerVisibility }) => ownerVisibility,
    })
  },
})

const showCommand = defineServiceCommand({
  name: 'repository show',
  summary: 'Show who may pull from a repository without a grant.',
  arguments: [{ name: '<name>' }],
  jsonShape: '{"name": string, "owner": string, "visibility": string, "ownerVisibility": string}',
  run: async ({ arguments: { words }, repositories, print }) => {
    const name = parseRepositoryName(words[0] ?? '')
    const access = await repositories.find(name)
    if (access === undefined) throw unknownRepository(name)
    const { visibility, ownerVisibility, ownerName } = access
    print(
      { name, owner: ownerName, visibility, ownerVisibility },
      `${name} is ${visibility}, its owner ${ownerName} ${ownerVisibility}`,
    )
  },
})

const setCommand = defineServiceCommand({
  name: 'repository set',
  summary: 'Change a repository, with effect from the next request.',
  arguments: [{ name: '<name>' }],
  options: [
    {
      name: '--visibility',
      type: 'text',
      choices: visibilities,
      summary: 'Who may pull: its owner and administrators, every user, or everyone.',
    },
  ],
  jsonShape: '{"name": string, "visibility": string, "before": string}',
  run: async ({ arguments: args, repositories, actor, host, print }) => {
    const name = parseRepositoryName(args.words[0] ?? '')
    const visibility = parseChoice('--visibility', args.value('--visibility'), visibilities)
    const before = await repositories.setVisibility(name, visibility, actor)
    print({ name, visibility, before }, `${name} is ${visibility} now (it was ${before})`)
    const access = await repositories.find(name)
    if (access === undefined || visibility === 'private' || access.ownerVisibility === 'public') return
    host.err(
      `warning: the owner ${access.ownerName} is ${access.ownerVisibility}, and the stricter of the two applies`,
    )
  },
})

const deleteCommand = defineServiceCommand({
  name: 'repository delete',
  summary: 'Delete a repository with all its tags and manifests. This cannot be undone.',
  arguments: [{ name: '<name>' }],
  jsonShape: '{"name": string, "deleted": true}',
  run: async ({ arguments: { words }, repositories, actor, print }) => {
    const name = parseRepositoryName(words[0] ?? '')
    await repositories.delete(name, actor)
    print({ name, deleted: true }, `deleted ${name}; a later sweep removes the blobs that nothing else uses`)
  },
})

function describe({ name, ownerName: owner, visibility, ownerVisibility }: ListedRepository) {
  return { name, owner, visibility, ownerVisibility }
}

function unknownRepository(name: RepositoryName): CliError {
  return new CliError(`there is no repository ${name}; lading repository list shows the repositories`)
}

export const repositoryCommands: readonly Command[] = [listCommand, showCommand, setCommand, deleteCommand]
