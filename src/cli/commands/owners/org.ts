/** `lading org create|list` and `lading org member add|remove|list`. */
import { listPages } from '../../services/list-pages.ts'
import { parseChoice } from '../../frame/arguments.ts'
import type { Command } from '../../frame/command.ts'
import { defineOwnerCommands, visibilities } from './owner.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const createCommand = defineServiceCommand({
  name: 'org create',
  summary: 'Create an organization without members. Give people access with org member add or grant add.',
  arguments: [{ name: '<name>' }],
  options: [
    {
      name: '--visibility',
      type: 'text',
      choices: visibilities,
      default: 'public',
      summary: 'The limit for the visibility of its repositories.',
    },
  ],
  jsonShape: '{"name": string, "visibility": string}',
  run: async ({ arguments: args, owners, actor, print }) => {
    const [name = ''] = args.words
    const visibility = parseChoice('--visibility', args.value('--visibility'), visibilities)
    await owners.createOrganization({ name, visibility }, actor)
    print({ name, visibility }, `created organization ${name}`)
  },
})

const listCommand = defineServiceCommand({
  name: 'org list',
  summary: 'List the organizations.',
  jsonShape: '[{"name": string, "kind": "organization", "visibility": string, "createdAt": string}]',
  run: async ({ owners, printTable }) => {
    const pages = listPages(
      (after: string | undefined, limit) => owners.list({ kind: 'organization', after, limit }),
      ({ name }) => name,
    )
    const rows = (await Array.fromAsync(pages)).map(({ name, kind, visibility, createdAt }) => ({
      name,
      kind,
      visibility,
      createdAt: new Date(createdAt),
    }))
    printTable(rows, {
      NAME: ({ name }) => name,
      VISIBILITY: ({ visibility }) => visibility,
      CREATED: ({ createdAt }) => createdAt,
    })
  },
})

const addCommand = defineServiceCommand({
  name: 'org member add',
  summary: 'Make a user a member. Membership alone gives no rights; teams, grants and --role do.',
  arguments: [{ name: '<organization>' }, { name: '<user>' }],
  options: [
    {
      name: '--role',
      type: 'text',
      value: '<role>',
      summary: 'Also grant this role on all repositories of the organization.',
    },
  ],
  jsonShape: '{"owner": string, "user": string, "role"?: string, "isNew": boolean}',
  run: async ({ arguments: args, members, actor, print }) => {
    const [organization = '', user = ''] = args.words
    const role = args.value('--role')
    const isNew = await members.add({ organization, user, role }, actor)
    const done = isNew
      ? `${user} is a member of ${organization}`
      : `${user} is already a member of ${organization}`
    const granted = role === undefined ? '' : `, with the role ${role} on ${organization}/**`
    print({ owner: organization, user, role, isNew }, done + granted)
  },
})

const removeCommand = defineServiceCommand({
  name: 'org member remove',
  summary: 'Remove a member, with their grants and team memberships in the organization.',
  arguments: [{ name: '<organization>' }, { name: '<user>' }],
  jsonShape: '{"owner": string, "user": string, "removed": true}',
  run: async ({ arguments: { words }, members, actor, print }) => {
    const [organization = '', user = ''] = words
    await members.remove({ organization, user }, actor)
    print({ owner: organization, user, removed: true }, `${user} is no longer a member of ${organization}`)
  },
})

const membersCommand = defineServiceCommand({
  name: 'org member list',
  summary: 'List the members of an organization.',
  arguments: [{ name: '<organization>' }],
  jsonShape: '[{"name": string, "since": string}]',
  run: async ({ arguments: { words }, members, printTable }) => {
    const pages = listPages(
      (after: number | undefined, limit) => members.list(words[0] ?? '', { after, limit }),
      ({ accountId }) => accountId,
    )
    const rows = (await Array.fromAsync(pages)).map(({ name, since }) => ({ name, since: new Date(since) }))
    printTable(rows, { NAME: ({ name }) => name, SINCE: ({ since }) => since })
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
