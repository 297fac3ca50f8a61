/** `lading robot add|list|disable|enable|delete`. */
import type { Robot } from '../../../identity/accounts/robots.ts'
import type { Command } from '../../frame/command.ts'
import { listRobots } from '../../services/principals.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const robotArgument = { name: '<owner>+<name>' }

/** As the API has it: `ci` of `acme`, which logs in as `acme+ci`. */
function describe(login: string): { readonly name: string; readonly login: string } {
  return { name: login.slice(login.indexOf('+') + 1), login }
}

const addCommand = defineServiceCommand({
  name: 'robot add',
  summary:
    'Create a robot of a user or an organization; it has no password, and no rights until some are granted.',
  arguments: [robotArgument],
  jsonShape: '{"name": string, "login": string}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const { name } = await robots.create(words[0] ?? '', actor)
    print(describe(name), [
      `created robot ${name}`,
      `lading token create ${name} makes a token for it, lading grant add ${name} <role> <owner> <repositories> gives it rights`,
    ])
  },
})

const listCommand = defineServiceCommand({
  name: 'robot list',
  summary: 'List the robots.',
  options: [
    { name: '--owner', type: 'text', value: '<name>', summary: 'Of this user or organization only.' },
  ],
  jsonShape:
    '[{"name": string, "login": string, "disabled": boolean, "ownerDisabled": boolean, "createdAt": string}]',
  run: async ({ arguments: args, robots, printTable }) => {
    const all = await Array.fromAsync(listRobots(robots, args.value('--owner')))
    const rows = all.map(({ name, disabled, ownerDisabled, createdAt }) => {
      return { ...describe(name), disabled, ownerDisabled, createdAt: new Date(createdAt) }
    })
    printTable(rows, {
      NAME: ({ login }) => login,
      STATE: stateOf,
      CREATED: ({ createdAt }) => createdAt,
    })
  },
})

function stateOf({ disabled, ownerDisabled }: Pick<Robot, 'disabled' | 'ownerDisabled'>): string {
  if (disabled) return 'disabled'
  return ownerDisabled ? 'owner disabled' : 'active'
}

const disableCommand = defineServiceCommand({
  name: 'robot disable',
  summary: 'Disable a robot: its tokens do not hold while it is disabled.',
  arguments: [robotArgument],
  jsonShape: '{"name": string, "login": string, "disabled": true}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const [name = ''] = words
    await robots.disable(name, actor)
    print({ ...describe(name), disabled: true }, `disabled ${name}`)
  },
})

const enableCommand = defineServiceCommand({
  name: 'robot enable',
  summary: 'Let a disabled robot in again, with its tokens.',
  arguments: [robotArgument],
  jsonShape: '{"name": string, "login": string, "disabled": false}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const [name = ''] = words
    await robots.enable(name, actor)
    print({ ...describe(name), disabled: false }, `enabled ${name}`)
  },
})

const deleteCommand = defineServiceCommand({
  name: 'robot delete',
  summary: 'Delete a robot with its tokens and its grants; what it pushed stays.',
  arguments: [robotArgument],
  jsonShape: '{"name": string, "login": string, "deleted": true}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const [name = ''] = words
    await robots.delete(name, actor)
    print({ ...describe(name), deleted: true }, `deleted robot ${name}`)
  },
})

export const robotCommands: readonly Command[] = [
  addCommand,
  listCommand,
  disableCommand,
  enableCommand,
  deleteCommand,
]
