/** `lading org create|list` and `lading org member add|remove|list`. */
import { listPages } from '../../services/list-pages.ts'
import { parseChoice } from '../../frame/arguments.ts'
import type { Command } from '../../frame/command.ts'
import { defineOwnerCommands, visibilities } from './owner.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'

const createCommand = defineServiceCommand({
  name: 'org create',
  summary: 'Create an organization. It has no members: org member add, or grant add, let people in.',
  words: ['<name>'],
  flags: [
    {
      name: '--visibility',
      value: visibilities.join('|'),
      summary: 'Who may see anything below the name at most; public when it is not given.',
    },
  ],
  jsonShape: '{"name": string, "visibility": string}',
  run: async ({ arguments: args, owners, actor, print }) => {
    const [name = ''] = args.words
    const visibility = parseChoice('--visibility', args.value('--visibility') ?? 'public', visibilities)
    await owners.createOrganization({ name, visibility }, actor)
    print({ name, visibility }, `created organization ${name}`)
  },
})

const listCommand = defineServiceCommand({
  name: 'org list',
  summary: 'List the organizations.',
  jsonShape: '[{"name": string, "visibility": string, "createdAt": string}]',
  run: async ({ owners, print }) => {
    const pages = listPages(
      (after: string | undefined, limit) => owners.list({ kind: 'organization', after, limit }),
      ({ name }) => name,
    )
    const all = (await Array.fromAsync(pages)).map(({ name, visibility, createdAt }) => ({
      name,
      visibility,
      createdAt: formatTime(createdAt),
    }))
    print(all, formatTable([['NAME', 'VISIBILITY', 'CREATED'], ...all.map((row) => Object.values(row))]))
  },
})

const addCommand = defineServiceCommand({
  name: 'org member add',
  summary: 'Make a user a member. Alone it gives no rights: teams and grants do, and --role.',
  words: ['<organization>', '<user>'],
  flags: [{ name: '--role', value: '<role>', summary: 'Grant this role on all of the organization, too.' }],
  jsonShape: '{"organization": string, "user": string, "role": string | null, "isNew": boolean}',
  run: async ({ arguments: args, members, actor, print }) => {
    const [organization = '', user = ''] = args.words
    const role = args.value('--role')
    const isNew = await members.add({ organization, user, role }, actor)
    const done = isNew
      ? `${user} is a member of ${organization}`
      : `${user} was a member of ${organization} already`
    const granted = role === undefined ? '' : `, with the role ${role} on ${organization}/**`
    print({ organization, user, role: role ?? null, isNew }, done + granted)
  },
})

const removeCommand = defineServiceCommand({
  name: 'org member remove',
  summary: 'Take a member out, with its grants there and its places in teams.',
  words: ['<organization>', '<user>'],
  jsonShape: '{"organization": string, "user": string, "removed": true}',
  run: async ({ arguments: { words }, members, actor, print }) => {
    const [organization = '', user = ''] = words
    await members.remove({ organization, user }, actor)
    print({ organization, user, removed: true }, `${user} is no member of ${organization} any more`)
  },
})

const membersCommand = defineServiceCommand({
  name: 'org member list',
  summary: 'List the members of an organization.',
  words: ['<organization>'],
  jsonShape: '[{"name": string, "since": string}]',
  run: async ({ arguments: { words }, members, print }) => {
    const pages = listPages(
      (after: number | undefined, limit) => members.list(words[0] ?? '', { after, limit }),
      ({ accountId }) => accountId,
    )
    const all = (await Array.fromAsync(pages)).map(({ name, since }) => ({ name, since: formatTime(since) }))
    print(all, formatTable([['NAME', 'SINCE'], ...all.map((row) => Object.values(row))]))
  },
})

export const orgCommands: readonly Command[] = [
  createCommand,
  listCommand,
  ...defineOwnerCommands({ kind: 'organization', group: 'org' }),
  addCommand,
  removeCommand,
  membersCommand,
]
