/** `lading keys list|rotate`: the keys that sign bearer tokens. */
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'

const listCommand = defineServiceCommand({
  name: 'keys list',
  summary: 'List the keys that sign bearer tokens, and those that still verify them.',
  jsonShape:
    '[{"id": string, "state": "active" | "retired", "createdAt": string, "verifyUntil": string | null}]',
  run: async ({ keys, print }) => {
    const rows = (await keys.list()).map(({ kid, state, createdAt, verifyUntil }) => ({
      id: kid,
      state,
      createdAt: formatTime(createdAt),
      verifyUntil: verifyUntil === undefined ? null : formatTime(verifyUntil),
    }))
    print(
      rows,
      formatTable([
        ['ID', 'STATE', 'CREATED', 'VERIFIES UNTIL'],
        ...rows.map(({ id, state, createdAt, verifyUntil }) => [id, state, createdAt, verifyUntil ?? '-']),
      ]),
    )
  },
})

const rotateCommand = defineServiceCommand({
  name: 'keys rotate',
  summary:
    'Sign with a new key from now on. The old one verifies until its last token has ended (`auth.tokenLifetimeMs`).',
  flags: [{ name: '--leaked', summary: 'End all bearer tokens at once: someone else has the old key.' }],
  jsonShape: '{"id": string}',
  run: async ({ arguments: args, keys, actor, config, print }) => {
    const isLeaked = args.has('--leaked')
    const id = await keys.rotate({ overlapMs: isLeaked ? 0 : config.auth.tokenLifetimeMs }, actor)
    const fate = isLeaked ? 'no older token holds any more' : 'tokens of the old key hold until they end'
    print({ id }, `key ${id} signs from now on; ${fate}`)
  },
})

export const keyCommands: readonly Command[] = [listCommand, rotateCommand]
