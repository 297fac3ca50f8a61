/** `lading session list|end`: the browser sessions of users. */
import { parseId } from '../../services/list-pages.ts'
import { CliError } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { getPrincipal, listUsers } from '../../services/principals.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const listCommand = defineServiceCommand({
  name: 'session list',
  summary: 'List the browser sessions.',
  options: [{ name: '--user', type: 'text', value: '<name>', summary: 'Only sessions of this user.' }],
  jsonShape:
    '[{"id": number, "user": string, "createdAt": string, "usedAt": string, "expiresAt": string, "address": string, "client"?: string}]',
  run: async (invocation) => {
    const { arguments: args, accounts, sessions, printTable } = invocation
    const user = args.value('--user')
    const selected = user === undefined ? listUsers(accounts) : [await getPrincipal(invocation, user)]
    const rows = []
    for await (const { id: accountId, name } of selected) {
      for (const { id, createdAt, usedAt, expiresAt, address, client } of await sessions.list(accountId)) {
        rows.push({
          id,
          user: name,
          createdAt: new Date(createdAt),
          usedAt: new Date(usedAt),
          expiresAt: new Date(expiresAt),
          address,
          client,
        })
      }
    }
    printTable(rows, {
      ID: ({ id }) => id,
      USER: ({ user }) => user,
      STARTED: ({ createdAt }) => createdAt,
      'LAST USED': ({ usedAt }) => usedAt,
      EXPIRES: ({ expiresAt }) => expiresAt,
      ADDRESS: ({ address }) => address,
      CLIENT: ({ client }) => client,
    })
  },
})

const endCommand = defineServiceCommand({
  name: 'session end',
  summary: 'End a browser session. The user must log in again.',
  arguments: [{ name: '<id>' }],
  jsonShape: '{"id": number, "ended": true}',
  run: async ({ arguments: { words }, sessions, actor, print }) => {
    const id = parseId(words[0])
    if (!(await sessions.end(id, actor))) {
      throw new CliError(`there is no session ${id}; lading session list shows the sessions`)
    }
    print({ id, ended: true }, `ended session ${id}`)
  },
})

export const sessionCommands: readonly Command[] = [listCommand, endCommand]
