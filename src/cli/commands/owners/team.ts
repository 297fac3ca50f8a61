/** `lading team create|list|delete` and `lading team member add|remove|list`. A team is written `acme/dev`. */
import type { TeamName } from '../../../organizations/members.ts'
import { listPages } from '../../services/list-pages.ts'
import { CliError, misused } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'

const teamWord = '<organization>/<team>'

const createCommand = defineServiceCommand({
  name: 'team create',
  summary: 'Create a team. Its members have what is granted to it: grant add acme/dev writer acme web.',
  words: [teamWord],
  jsonShape: '{"team": string}',
  run: async ({ arguments: { words }, teams, actor, print }) => {
    const [team = ''] = words
    await teams.create(parseTeam(team), actor)
    print({ team }, `created team ${team}`)
  },
})

const listCommand = defineServiceCommand({
  name: 'team list',
  summary: 'List the teams of an organization.',
  words: ['<organization>'],
  jsonShape: '[{"team": string, "createdAt": string}]',
  run: async ({ arguments: { words }, teams, print }) => {
    const [organization = ''] = words
    const pages = listPages(
      (after: string | undefined, limit) => teams.list(organization, { after, limit }),
      ({ name }) => name,
    )
    const all = (await Array.fromAsync(pages)).map(({ name, createdAt }) => ({
      team: `${organization}/${name}`,
      createdAt: formatTime(createdAt),
    }))
    print(all, formatTable([['TEAM', 'CREATED'], ...all.map((row) => Object.values(row))]))
  },
})

const deleteCommand = defineServiceCommand({
  name: 'team delete',
  summary: 'Delete a team, with what was granted to it; its members stay in the organization.',
  words: [teamWord],
  jsonShape: '{"team": string, "deleted": true}',
  run: async ({ arguments: { words }, teams, actor, print }) => {
    const [team = ''] = words
    await teams.delete(parseTeam(team), actor)
    print({ team, deleted: true }, `deleted team ${team}`)
  },
})

const addCommand = defineServiceCommand({
  name: 'team member add',
  summary: 'Put a member of the organization into a team.',
  words: [teamWord, '<user>'],
  jsonShape: '{"team": string, "user": string, "isNew": boolean}',
  run: async ({ arguments: { words }, teams, actor, print }) => {
    const [team = '', user = ''] = words
    const isNew = await teams.addMember(parseTeam(team), user, actor)
    print({ team, user, isNew }, isNew ? `${user} is in ${team}` : `${user} was in ${team} already`)
  },
})

const removeCommand = defineServiceCommand({
  name: 'team member remove',
  summary: 'Take someone out of a team.',
  words: [teamWord, '<user>'],
  jsonShape: '{"team": string, "user": string, "removed": true}',
  run: async ({ arguments: { words }, teams, actor, print }) => {
    const [team = '', user = ''] = words
    await teams.removeMember(parseTeam(team), user, actor)
    print({ team, user, removed: true }, `${user} is in ${team} no more`)
  },
})

const membersCommand = defineServiceCommand({
  name: 'team member list',
  summary: 'List who is in a team.',
  words: [teamWord],
  jsonShape: '[{"name": string, "since": string}]',
  run: async ({ arguments: { words }, teams, print }) => {
    const name = parseTeam(words[0])
    const pages = listPages(
      (after: number | undefined, limit) => teams.listMembers(name, { after, limit }),
      ({ accountId }) => accountId,
    )
    const all = (await Array.fromAsync(pages)).map((row) => ({
      name: row.name,
      since: formatTime(row.since),
    }))
    print(all, formatTable([['NAME', 'SINCE'], ...all.map((row) => Object.values(row))]))
  },
})

function parseTeam(text = ''): TeamName {
  const [organization, team, ...rest] = text.split('/')
  if (organization !== undefined && team !== undefined && rest.length === 0) return { organization, team }
  throw new CliError(`${text} is no team: write ${teamWord}, for example acme/dev`, { exitCode: misused })
}

export const teamCommands: readonly Command[] = [
  createCommand,
  listCommand,
  deleteCommand,
  addCommand,
  removeCommand,
  membersCommand,
]
