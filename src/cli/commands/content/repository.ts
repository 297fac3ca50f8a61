/** `lading repository list|show|set|delete`. */
import { parseRepositoryName } from '../../../oci/repository-name.ts'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import { listPages } from '../../services/list-pages.ts'
import { parseChoice } from '../../frame/arguments.ts'
import { CliError } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { visibilities } from '../owners/owner.ts'
import { defineServiceCommand, formatTable } from '../../services/service-command.ts'

const listCommand = defineServiceCommand({
  name: 'repository list',
  summary: 'List the repositories with their visibility. A stricter owner wins: both must be public.',
  flags: [{ name: '--owner', value: '<name>', summary: 'Below this name only.' }],
  jsonShape: '[{"name": string, "visibility": string, "ownerVisibility": string}]',
  run: async ({ arguments: args, repositories, print }) => {
    const owner = args.value('--owner')
    const pages = listPages(
      (after: string | undefined, limit) => repositories.list({ owner, after, limit }),
      ({ name }): string => name,
    )
    const all = (await Array.fromAsync(pages)).map(({ name, visibility, ownerVisibility }) => ({
      name,
      visibility,
      ownerVisibility,
    }))
    print(all, formatTable([['NAME', 'VISIBILITY', 'OWNER'], ...all.map((row) => Object.values(row))]))
  },
})

const showCommand = defineServiceCommand({
  name: 'repository show',
  summary: 'Show who may pull from a repository without a grant.',
  words: ['<name>'],
  jsonShape: '{"name": string, "visibility": string, "ownerVisibility": string}',
  run: async ({ arguments: { words }, repositories, print }) => {
    const name = parseRepositoryName(words[0] ?? '')
    const access = await repositories.find(name)
    if (access === undefined) throw unknownRepository(name)
    const { visibility, ownerVisibility, ownerName } = access
    print(
      { name, visibility, ownerVisibility },
      `${name} is ${visibility}, its owner ${ownerName} ${ownerVisibility}`,
    )
  },
})

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
    await repositories.delete(name, actor)
    print(
      { name, deleted: true },
      `deleted ${name}; bytes that nothing else uses go with the next run of the collector`,
    )
  },
})

function unknownRepository(name: RepositoryName): CliError {
  return new CliError(`there is no repository ${name}; lading repository list shows those that are`)
}

export const repositoryCommands: readonly Command[] = [listCommand, showCommand, setCommand, deleteCommand]
