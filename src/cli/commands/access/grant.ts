/** `lading grant add|list|remove`: the roles of users, robots and teams on repositories. */
import { formatPatternBelow } from '../../../access/patterns/repository-pattern.ts'
import type { Grant, GrantFilter } from '../../../access/grants/grants.ts'
import { listPages, parseId } from '../../services/list-pages.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand } from '../../services/service-command.ts'
import type { ServiceInvocation } from '../../services/service-command.ts'

/** The help for commands that take a pattern below an owner. */
export const belowOwner =
  'Name the repositories with a pattern relative to the owner: "**" for all, "web/**" for a part. The pattern does not repeat the name of the owner; with the owner acme, "./acme/web" is acme/acme/web.'

const grantShape =
  '{"id": number, "owner": string, "repositories": string, "role": string, "actions": string[], "to": string, "kind": "user" | "robot" | "team", "createdAt": string, "createdBy": string}'

const addCommand = defineServiceCommand({
  name: 'grant add',
  summary: `Give a user, a robot (acme+ci) or a team (acme/dev) a role on repositories of an owner. ${belowOwner}`,
  arguments: [{ name: '<to>' }, { name: '<role>' }, { name: '<owner>' }, { name: '<repositories>' }],
  jsonShape: grantShape,
  run: async ({ arguments: { words }, grants, actor, print }) => {
    const [to = '', role = '', owner = '', repositories = ''] = words
    const grant = await grants.add({ to, role, owner, repositories }, actor)
    print(describe(grant), `grant ${grant.id} gives ${role} on ${grant.owner}/${grant.pattern} to ${to}`)
  },
})

const listCommand = defineServiceCommand({
  name: 'grant list',
  summary: 'List the grants. Rights through a team appear as grants to the team.',
  options: [
    { name: '--owner', type: 'text', value: '<name>', summary: 'Only grants on repositories of this owner.' },
    { name: '--to', type: 'text', value: '<name>', summary: 'Only grants to this user, robot or team.' },
  ],
  jsonShape: `[${grantShape}]`,
  run: async ({ arguments: args, grants, printTable }) => {
    const filter = { owner: args.value('--owner'), to: args.value('--to') }
    const all = await Array.fromAsync(listAll(grants, filter))
    printTable(all.map(describe), {
      ID: ({ id }) => id,
      ON: ({ owner, repositories }) => `${owner}/${repositories.replace(/^\.\//, '')}`,
      ROLE: ({ role }) => role,
      TO: ({ kind, to }) => `${kind} ${to}`,
      CREATED: ({ createdAt }) => createdAt,
    })
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
  summary: 'Remove a grant, with effect from the next request.',
  arguments: [{ name: '<id>' }],
  jsonShape: grantShape,
  run: async ({ arguments: { words }, grants, actor, print }) => {
    const grant = await grants.remove(parseId(words[0]), actor)
    const { id, role, owner, pattern, to } = grant
    print(describe(grant), `removed grant ${id}: ${role} on ${owner}/${pattern} to ${to.kind} ${to.name}`)
  },
})

function describe({ id, owner, pattern, role, actions, to, createdAt, createdBy }: Grant) {
  return {
    id,
    owner,
    repositories: formatPatternBelow(owner, pattern),
    role,
    actions,
    to: to.name,
    kind: to.kind,
    createdAt: new Date(createdAt),
    createdBy,
  }
}

export const grantCommands: readonly Command[] = [addCommand, listCommand, removeCommand]
