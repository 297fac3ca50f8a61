/** `lading role add|list|remove`: named sets of actions. */
import { roleActions } from '../../../access/permissions.ts'
import type { Role } from '../../../access/grants/roles.ts'
import { listPages } from '../../services/list-pages.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand, formatTable } from '../../services/service-command.ts'

const roleShape = '{"name": string, "actions": [string], "isBuiltIn": boolean}'

const addCommand = defineServiceCommand({
  name: 'role add',
  summary: `Make a role of some actions, separated by commas: ${roleActions.join(', ')}.`,
  words: ['<name>', '<actions>'],
  jsonShape: roleShape,
  run: async ({ arguments: { words }, roles, actor, print }) => {
    const [name = '', actions = ''] = words
    const role = await roles.add({ name, actions: actions.split(',') }, actor)
    print(role, `created role ${name}: ${role.actions.join(', ')}`)
  },
})

const listCommand = defineServiceCommand({
  name: 'role list',
  summary: 'List the roles and what they allow.',
  jsonShape: `[${roleShape}]`,
  run: async ({ roles, print }) => {
    const all: Role[] = await Array.fromAsync(
      listPages(
        (after: string | undefined, limit) => roles.list({ after, limit }),
        ({ name }) => name,
      ),
    )
    print(
      all,
      formatTable([
        ['NAME', 'ACTIONS', 'KIND'],
        ...all.map(({ name, actions, isBuiltIn }) => [
          name,
          actions.join(','),
          isBuiltIn ? 'built in' : 'custom',
        ]),
      ]),
    )
  },
})

const removeCommand = defineServiceCommand({
  name: 'role remove',
  summary: 'Delete a custom role that no grant uses.',
  words: ['<name>'],
  jsonShape: '{"name": string}',
  run: async ({ arguments: { words }, roles, actor, print }) => {
    const [name = ''] = words
    await roles.remove(name, actor)
    print({ name }, `removed role ${name}`)
  },
})

export const roleCommands: readonly Command[] = [addCommand, listCommand, removeCommand]
