/** `lading session list|end`: who is logged in with a browser. */
import { parseId } from '../../services/list-pages.ts'
import { CliError } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { getPrincipal } from '../../services/principals.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'
import { listAll } from './user.ts'

const listCommand = defineServiceCommand({
  name: 'session list',
  summary: 'List the browser sessions.',
  flags: [{ name: '--user', value: '<name>', summary: 'Of this user only.' }],
  jsonShape:
    '[{"id": number, "user": string, "createdAt": string, "usedAt": string, "expiresAt": string, "address": string, "client": string | null}]',
  run: async (invocation) => {
    const { arguments: args, accounts, sessions, print } = invocation
    const user = args.value('--user')
    const selected = user === undefined ? listAll(accounts) : [await getPrincipal(invocation, user)]
    const rows = []
    for await (const { id: accountId, name } of selected) {
      for (const { id, createdAt, usedAt, expiresAt, address, client } of await sessions.list(accountId)) {
        rows.push({
          id,
          user: name,
          createdAt: formatTime(createdAt),
          usedAt: formatTime(usedAt),
          expiresAt: formatTime(expiresAt),
          address,
          client: client ?? null,
        })
      }
    }
    print(
      rows,
      formatTable([
        ['ID', 'USER', 'BEGAN', 'LAST USED', 'EXPIRES', 'ADDRESS', 'CLIENT'],
        ...rows.map((row) => [
          String(row.id),
          row.user,
          row.createdAt,
          row.usedAt,
          row.expiresAt,
          row.address,
          row.client ?? '-',
        ]),
      ]),
    )
  },
})

const endCommand = defineServiceCommand({
  name: 'session end',
  summary: 'End a browser session: the next request has to log in again.',
  words: ['<id>'],
  jsonShape: '{"id": number, "ended": true}',
  run: async ({ arguments: { words }, sessions, actor, print }) => {
    const id = parseId(words[0])
    if (!(await sessions.end(id, actor))) {
      throw new CliError(`there is no session ${id}; lading session list shows those that are`)
    }
    print({ id, ended: true }, `ended session ${id}`)
  },
})

export const sessionCommands: readonly Command[] = [listCommand, endCommand]
