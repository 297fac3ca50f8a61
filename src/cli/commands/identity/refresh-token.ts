/** `lading refresh-token list|revoke`: what clients hold where `auth.refreshTokens` is on. */
import type { Account } from '../../../identity/accounts/accounts.ts'
import { AccountUnknownError } from '../../../identity/accounts/account-errors.ts'
import { CliError, misused } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'
import type { ServiceInvocation } from '../../services/service-command.ts'
import { listAll } from './user.ts'

const listCommand = defineServiceCommand({
  name: 'refresh-token list',
  summary:
    'List the refresh tokens that clients hold instead of a password; the tokens themselves are not stored.',
  flags: [{ name: '--user', value: '<name>', summary: 'Of this user only.' }],
  jsonShape:
    '[{"id": number, "user": string, "client": string | null, "createdAt": string, "usedAt": string}]',
  run: async ({ arguments: args, accounts, refreshTokens, print }) => {
    const rows = []
    for await (const account of selectAccounts(accounts, args.value('--user'))) {
      for (const token of await refreshTokens.list(account.id)) {
        rows.push({
          id: token.id,
          user: account.name,
          client: token.clientId ?? null,
          createdAt: formatTime(token.createdAt),
          usedAt: formatTime(token.usedAt),
        })
      }
    }
    print(
      rows,
      formatTable([
        ['ID', 'USER', 'CLIENT', 'CREATED', 'LAST USED'],
        ...rows.map(({ id, user, client, createdAt, usedAt }) => [
          String(id),
          user,
          client ?? '-',
          createdAt,
          usedAt,
        ]),
      ]),
    )
  },
})

async function* selectAccounts(
  accounts: ServiceInvocation['accounts'],
  name: string | undefined,
): AsyncGenerator<Account> {
  if (name === undefined) return yield* listAll(accounts)
  const account = await accounts.find(name)
  if (account === undefined) throw new AccountUnknownError(name)
  yield account
}

const revokeCommand = defineServiceCommand({
  name: 'refresh-token revoke',
  summary: 'Revoke a refresh token: who holds it has to log in again.',
  words: ['<id>'],
  jsonShape: '{"id": number, "revoked": true}',
  run: async ({ arguments: { words }, refreshTokens, actor, print }) => {
    const [text = ''] = words
    if (!/^\d{1,15}$/.test(text)) {
      throw new CliError(`${text} is no id; lading refresh-token list shows them`, { exitCode: misused })
    }
    const id = Number(text)
    if (!(await refreshTokens.revoke(id, actor))) {
      throw new CliError(`there is no refresh token ${id}; lading refresh-token list shows those that are`)
    }
    print({ id, revoked: true }, `revoked refresh token ${id}`)
  },
})

export const refreshTokenCommands: readonly Command[] = [listCommand, revokeCommand]
