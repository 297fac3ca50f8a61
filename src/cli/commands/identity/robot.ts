/** `lading robot add|list|disable|enable|delete`. */
import type { Robot } from '../../../identity/accounts/robots.ts'
import type { Command } from '../../frame/command.ts'
import { listRobots } from '../../services/principals.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'

const robotWord = '<owner>+<name>'

const addCommand = defineServiceCommand({
  name: 'robot add',
  summary:
    'Create a robot of a user or an organization; it has no password, and no rights until some are granted.',
  words: [robotWord],
  jsonShape: '{"name": string}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const { name } = await robots.create(words[0] ?? '', actor)
    print({ name }, [
      `created robot ${name}`,
      `lading token create ${name} makes a token for it, lading grant add ${name} <role> <owner> <repositories> gives it rights`,
    ])
  },
})

const listCommand = defineServiceCommand({
  name: 'robot list',
  summary: 'List the robots.',
  flags: [{ name: '--owner', value: '<name>', summary: 'Of this user or organization only.' }],
  jsonShape: '[{"name": string, "disabled": boolean, "ownerDisabled": boolean, "createdAt": string}]',
  run: async ({ arguments: args, robots, print }) => {
    const all = await Array.fromAsync(listRobots(robots, args.value('--owner')))
    print(
      all.map(({ name, disabled, ownerDisabled, createdAt }) => {
        return { name, disabled, ownerDisabled, createdAt: formatTime(createdAt) }
      }),
      formatTable([
        ['NAME', 'STATE', 'CREATED'],
        ...all.map((robot) => [robot.name, stateOf(robot), formatTime(robot.createdAt)]),
      ]),
    )
  },
})

function stateOf({ disabled, ownerDisabled }: Robot): string {
  if (disabled) return 'disabled'
  return ownerDisabled ? 'owner disabled' : 'active'
}

const disableCommand = defineServiceCommand({
  name: 'robot disable',
  summary: 'Disable a robot: its tokens do not hold while it is disabled.',
  words: [robotWord],
  jsonShape: '{"name": string, "disabled": true}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const [name = ''] = words
    await robots.disable(name, actor)
    print({ name, disabled: true }, `disabled ${name}`)
  },
})

const enableCommand = defineServiceCommand({
  name: 'robot enable',
  summary: 'Let a disabled robot in again, with its tokens.',
  words: [robotWord],
  jsonShape: '{"name": string, "disabled": false}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const [name = ''] = words
    await robots.enable(name, actor)
    print({ name, disabled: false }, `enabled ${name}`)
  },
})

const deleteCommand = defineServiceCommand({
  name: 'robot delete',
  summary: 'Delete a robot with its tokens and its grants; what it pushed stays.',
  words: [robotWord],
  jsonShape: '{"name": string, "deleted": true}',
  run: async ({ arguments: { words }, robots, actor, print }) => {
    const [name = ''] = words
    await robots.delete(name, actor)
    print({ name, deleted: true }, `deleted robot ${name}`)
  },
})

export const robotCommands: readonly Command[] = [
  addCommand,
  listCommand,
  disableCommand,
  enableCommand,
  deleteCommand,
]
