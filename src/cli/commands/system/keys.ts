/** `lading keys list|rotate`: the keys that sign bearer tokens. */
import type { Command } from '../../frame/command.ts'
import { toDate } from '../../frame/output.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const listCommand = defineServiceCommand({
  name: 'keys list',
  summary: 'List the key that signs bearer tokens, and the older keys that still verify them.',
  jsonShape: '[{"id": string, "state": "active" | "retired", "createdAt": string, "verifyUntil"?: string}]',
  run: async ({ keys, printTable }) => {
    const rows = (await keys.list()).map(({ kid, state, createdAt, verifyUntil }) => ({
      id: kid,
      state,
      createdAt: new Date(createdAt),
      verifyUntil: toDate(verifyUntil),
    }))
    printTable(rows, {
      ID: ({ id }) => id,
      STATE: ({ state }) => state,
      CREATED: ({ createdAt }) => createdAt,
      'VERIFIES UNTIL': ({ verifyUntil }) => verifyUntil,
    })
  },
})

const rotateCommand = defineServiceCommand({
  name: 'keys rotate',
  summary:
    'Sign with a new key from now on. The old key verifies tokens until its last one expires (`auth.tokenLifetimeMs`).',
  options: [
    {
      name: '--leaked',
      type: 'switch',
      summary: 'Invalidate all existing bearer tokens immediately, because the old key leaked.',
    },
  ],
  jsonShape: '{"id": string}',
  run: async ({ arguments: args, keys, actor, config, print }) => {
    const isLeaked = args.has('--leaked')
    const id = await keys.rotate({ overlapMs: isLeaked ? 0 : config.auth.tokenLifetimeMs }, actor)
    const effect = isLeaked
      ? 'older tokens are no longer valid'
      : 'tokens of the old key are valid until they expire'
    print({ id }, `key ${id} signs from now on; ${effect}`)
  },
})

export const keyCommands: readonly Command[] = [listCommand, rotateCommand]
