/** `lading grant add|list|remove`: who has which role where. */
import { formatPatternBelow } from '../../../access/patterns/repository-pattern.ts'
import type { Grant, GrantFilter } from '../../../access/grants/grants.ts'
import { belowOwner, listPages, parseId } from '../../services/list-pages.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'
import type { ServiceInvocation } from '../../services/service-command.ts'

const grantShape =
  '{"id": number, "owner": string, "repositories": string, "on": string, "role": string, "to": string, "kind": "user" | "robot" | "team", "createdAt": string, "createdBy": string}'

const addCommand = defineServiceCommand({
  name: 'grant add',
  summary: `Give a user, a robot (acme+ci) or a team (acme/dev) a role on repositories of an owner. ${belowOwner}`,
  words: ['<to>', '<role>', '<owner>', '<repositories>'],
  jsonShape: grantShape,
  run: async ({ arguments: { words }, grants, actor, print }) => {
    const [to = '', role = '', owner = '', repositories = ''] = words
    const grant = await grants.add({ to, role, owner, repositories }, actor)
    print(describe(grant), `grant ${grant.id} gives ${role} on ${grant.owner}/${grant.pattern} to ${to}`)
  },
})

const listCommand = defineServiceCommand({
  name: 'grant list',
  summary: 'List the grants; what someone has by way of a team is a grant to the team.',
  flags: [
    { name: '--owner', value: '<name>', summary: 'On what this owner has only.' },
    { name: '--to', value: '<name>', summary: 'To this user, robot or team only.' },
  ],
  jsonShape: `[${grantShape}]`,
  run: async ({ arguments: args, grants, print }) => {
    const filter = { owner: args.value('--owner'), to: args.value('--to') }
    const all = await Array.fromAsync(listAll(grants, filter))
    print(
      all.map(describe),
      formatTable([
        ['ID', 'ON', 'ROLE', 'TO', 'CREATED'],
        ...all.map(({ id, owner, pattern, role, to, createdAt }) => [
          String(id),
          `${owner}/${pattern}`,
          role,
          `${to.kind} ${to.name}`,
          formatTime(createdAt),
        ]),
      ]),
    )
  },
})

function listAll(grants: ServiceInvocation['grants'], filter: GrantFilter): AsyncGenerator<Grant> {
  return listPages(
    (after: number | undefined, limit) => grants.list({ ...filter, after, limit }),
    ({ id }) => id,
  )
}

const removeCommand = defineServiceCommand({
  name: 'grant remove',
  summary: 'Take a grant back: it counts no more with the next request.',
  words: ['<id>'],
  jsonShape: grantShape,
  run: async ({ arguments: { words }, grants, actor, print }) => {
    const grant = await grants.remove(parseId(words[0]), actor)
    const { id, role, owner, pattern, to } = grant
    print(describe(grant), `removed grant ${id}: ${role} on ${owner}/${pattern} to ${to.kind} ${to.name}`)
  },
})

function describe({ id, owner, pattern, role, to, createdAt, createdBy }: Grant) {
  return {
    id,
    owner,
    repositories: formatPatternBelow(owner, pattern),
    on: `${owner}/${pattern}`,
    role,
    to: to.name,
    kind: to.kind,
    createdAt: formatTime(createdAt),
    createdBy,
  }
}

export const grantCommands: readonly Command[] = [addCommand, listCommand, removeCommand]
