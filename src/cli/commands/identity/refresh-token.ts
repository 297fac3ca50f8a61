/** `lading refresh-token list|revoke`: the refresh tokens of clients, if `auth.refreshTokens` is on. */
import type { Account } from '../../../identity/accounts/accounts.ts'
import { AccountUnknownError } from '../../../identity/accounts/account-errors.ts'
import { CliError } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { parseId } from '../../services/list-pages.ts'
import { listUsers } from '../../services/principals.ts'
import { defineServiceCommand } from '../../services/service-command.ts'
import type { ServiceInvocation } from '../../services/service-command.ts'

const listCommand = defineServiceCommand({
  name: 'refresh-token list',
  summary:
    'List the refresh tokens that clients use instead of a password. Lading does not store the tokens themselves.',
  options: [{ name: '--user', type: 'text', value: '<name>', summary: 'Only tokens of this user.' }],
  jsonShape: '[{"id": number, "user": string, "client"?: string, "createdAt": string, "usedAt": string}]',
  run: async ({ arguments: args, accounts, refreshTokens, printTable }) => {
    const rows = []
    for await (const account of selectAccounts(accounts, args.value('--user'))) {
      for (const token of await refreshTokens.list(account.id)) {
        rows.push({
          id: token.id,
          user: account.name,
          client: token.clientId,
          createdAt: new Date(token.createdAt),
          usedAt: new Date(token.usedAt),
        })
      }
    }
    printTable(rows, {
      ID: ({ id }) => id,
      USER: ({ user }) => user,
      CLIENT: ({ client }) => client,
      CREATED: ({ createdAt }) => createdAt,
      'LAST USED': ({ usedAt }) => usedAt,
    })
  },
})

async function* selectAccounts(
  accounts: ServiceInvocation['accounts'],
  name: string | undefined,
): AsyncGenerator<Account> {
  if (name === undefined) return yield* listUsers(accounts)
  const account = await accounts.find(name)
  if (account === undefined) throw new AccountUnknownError(name)
  yield account
}

const revokeCommand = defineServiceCommand({
  name: 'refresh-token revoke',
  summary: 'Revoke a refresh token. Its client must log in again.',
  arguments: [{ name: '<id>' }],
  jsonShape: '{"id": number, "revoked": true}',
  run: async ({ arguments: { words }, refreshTokens, actor, print }) => {
    const id = parseId(words[0])
    if (!(await refreshTokens.revoke(id, actor))) {
      throw new CliError(`there is no refresh token ${id}; lading refresh-token list shows the tokens`)
    }
    print({ id, revoked: true }, `revoked refresh token ${id}`)
  },
})

export const refreshTokenCommands: readonly Command[] = [listCommand, revokeCommand]
