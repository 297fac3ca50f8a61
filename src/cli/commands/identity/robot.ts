/** `lading robot add|list|disable|enable|delete`. */
import type { Robot } from '../../../identity/accounts/robots.ts'
import type { Command } from '../../frame/command.ts'
import { listRobots } from '../../services/principals.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const robotArgument = { name: '<owner>+<name>' }

/** Returns the fields of the API: the robot `ci` of `acme` logs in as `acme+ci`. */
function describe(login: string): { readonly name: string; readonly login: string } {
  return { name: login.slice(login.indexOf('+') + 1), login }
}

const addCommand = defineServiceCommand({
  name: 'robot add',
  summary:
    'Create a robot for a user or an organization. It has no password, and no rights until you grant some.',
  arguments: [robotArgument],
  jsonShape: '{"name": string, "login": string}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const { name } = await robots.create(words[0] ?? '', actor)
    print(describe(name), [
      `created robot ${name}`,
      `create a token with lading token create ${name}, and grant rights with lading grant add ${name} <role> <owner> <repositories>`,
    ])
  },
})

const listCommand = defineServiceCommand({
  name: 'robot list',
  summary: 'List the robots.',
  options: [
    { name: '--owner', type: 'text', value: '<name>', summary: 'Only robots of this user or organization.' },
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
  summary: 'Disable a robot. Its tokens are refused until the robot is enabled again.',
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
  summary: 'Enable a disabled robot. Its tokens work again.',
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
  summary: 'Delete a robot with its tokens and grants. The content that it pushed stays.',
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
