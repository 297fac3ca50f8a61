/** `lading role add|list|remove`: named sets of actions. */
import { roleActions } from '../../../access/permissions.ts'
import { listPages } from '../../services/list-pages.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const roleShape = '{"name": string, "actions": string[], "isBuiltIn": boolean}'

const addCommand = defineServiceCommand({
  name: 'role add',
  summary: `Create a role from a list of actions, separated by commas: ${roleActions.join(', ')}.`,
  arguments: [{ name: '<name>' }, { name: '<actions>' }],
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
  run: async ({ roles, printTable }) => {
    const pages = listPages(
      (after: string | undefined, limit) => roles.list({ after, limit }),
      ({ name }) => name,
    )
    printTable(await Array.fromAsync(pages), {
      NAME: ({ name }) => name,
      ACTIONS: ({ actions }) => actions.join(','),
      KIND: ({ isBuiltIn }) => (isBuiltIn ? 'built in' : 'custom'),
    })
  },
})

const removeCommand = defineServiceCommand({
  name: 'role remove',
  summary: 'Delete a custom role that no grant uses.',
  arguments: [{ name: '<name>' }],
  jsonShape: '{"name": string}',
  run: async ({ arguments: { words }, roles, actor, print }) => {
    const [name = ''] = words
    await roles.remove(name, actor)
    print({ name }, `removed role ${name}`)
  },
})

export const roleCommands: readonly Command[] = [addCommand, listCommand, removeCommand]
