/** `lading team create|list|delete` and `lading team member add|remove|list`. A team is written `acme/dev`. */
import type { TeamName } from '../../../organizations/members.ts'
import { listPages } from '../../services/list-pages.ts'
import { misuse } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const teamArgument = { name: '<organization>/<team>' }

const createCommand = defineServiceCommand({
  name: 'team create',
  summary:
    'Create a team. Its members have the rights that are granted to it: grant add acme/dev writer acme web.',
  arguments: [teamArgument],
  jsonShape: '{"owner": string, "name": string}',
  run: async ({ arguments: { words }, teams, actor, print }) => {
    const [team = ''] = words
    await teams.create(parseTeam(team), actor)
    print(describe(team), `created team ${team}`)
  },
})

const listCommand = defineServiceCommand({
  name: 'team list',
  summary: 'List the teams of an organization.',
  arguments: [{ name: '<organization>' }],
  jsonShape: '[{"owner": string, "name": string, "createdAt": string}]',
  run: async ({ arguments: { words }, teams, printTable }) => {
    const [organization = ''] = words
    const pages = listPages(
      (after: string | undefined, limit) => teams.list(organization, { after, limit }),
      ({ name }) => name,
    )
    const rows = (await Array.fromAsync(pages)).map(({ name, createdAt }) => ({
      owner: organization,
      name,
      createdAt: new Date(createdAt),
    }))
    printTable(rows, {
      TEAM: ({ owner, name }) => `${owner}/${name}`,
      CREATED: ({ createdAt }) => createdAt,
    })
  },
})

const deleteCommand = defineServiceCommand({
  name: 'team delete',
  summary: 'Delete a team with its grants. Its members stay in the organization.',
  arguments: [teamArgument],
  jsonShape: '{"owner": string, "name": string, "deleted": true}',
  run: async ({ arguments: { words }, teams, actor, print }) => {
    const [team = ''] = words
    await teams.delete(parseTeam(team), actor)
    print({ ...describe(team), deleted: true }, `deleted team ${team}`)
  },
})

const addCommand = defineServiceCommand({
  name: 'team member add',
  summary: 'Add a member of the organization to a team.',
  arguments: [teamArgument, { name: '<user>' }],
  jsonShape: '{"owner": string, "name": string, "user": string, "isNew": boolean}',
  run: async ({ arguments: { words }, teams, actor, print }) => {
    const [team = '', user = ''] = words
    const isNew = await teams.addMember(parseTeam(team), user, actor)
    print(
      { ...describe(team), user, isNew },
      isNew ? `${user} is in ${team}` : `${user} is already in ${team}`,
    )
  },
})

const removeCommand = defineServiceCommand({
  name: 'team member remove',
  summary: 'Remove a member from a team.',
  arguments: [teamArgument, { name: '<user>' }],
  jsonShape: '{"owner": string, "name": string, "user": string, "removed": true}',
  run: async ({ arguments: { words }, teams, actor, print }) => {
    const [team = '', user = ''] = words
    await teams.removeMember(parseTeam(team), user, actor)
    print({ ...describe(team), user, removed: true }, `${user} is no longer in ${team}`)
  },
})

const membersCommand = defineServiceCommand({
  name: 'team member list',
  summary: 'List the members of a team.',
  arguments: [teamArgument],
  jsonShape: '[{"name": string, "since": string}]',
  run: async ({ arguments: { words }, teams, printTable }) => {
    const name = parseTeam(words[0])
    const pages = listPages(
      (after: number | undefined, limit) => teams.listMembers(name, { after, limit }),
      ({ accountId }) => accountId,
    )
    const rows = (await Array.fromAsync(pages)).map((row) => ({
      name: row.name,
      since: new Date(row.since),
    }))
    printTable(rows, { NAME: (row) => row.name, SINCE: ({ since }) => since })
  },
})

function parseTeam(text = ''): TeamName {
  const [organization, team, ...rest] = text.split('/')
  if (organization !== undefined && team !== undefined && rest.length === 0) return { organization, team }
  throw misuse(`${text} is not a team: write ${teamArgument.name}, for example acme/dev`)
}

/** Returns the fields of the API: the team `dev` of the owner `acme`. */
function describe(text: string): { readonly owner: string; readonly name: string } {
  const { organization, team } = parseTeam(text)
  return { owner: organization, name: team }
}

export const teamCommands: readonly Command[] = [
  createCommand,
  listCommand,
  deleteCommand,
  addCommand,
  removeCommand,
  membersCommand,
]
