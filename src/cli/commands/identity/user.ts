/** `lading user add|list|password|disable|enable`. */
import type { Account, Accounts } from '../../../identity/accounts/accounts.ts'
import type { Command } from '../../frame/command.ts'
import { passwordFlags, readNewPassword } from '../../services/password-source.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'

const pageSize = 500

const addCommand = defineServiceCommand({
  name: 'user add',
  summary: 'Create a user, who then owns the repositories below its name.',
  words: ['<name>'],
  flags: [
    { name: '--admin', summary: 'An administrator may do everything in every repository.' },
    {
      name: '--adopt',
      summary: 'Also when there is an organization of that name: the user gets its repositories.',
    },
    ...passwordFlags,
  ],
  jsonShape: '{"name": string, "isAdmin": boolean, "password"?: string}, the password when it was generated',
  run: async (invocation) => {
    const { arguments: args, accounts, actor, print } = invocation
    const [name = ''] = args.words
    const { password, isGenerated } = await readNewPassword(invocation)
    const isAdmin = args.has('--admin')
    await accounts.add({ name, password, isAdmin, adopt: args.has('--adopt') }, actor)
    const done = `created ${isAdmin ? 'administrator' : 'user'} ${name}`
    if (isGenerated) print({ name, isAdmin, password }, [done, `password: ${password}`])
    else print({ name, isAdmin }, done)
  },
})

const listCommand = defineServiceCommand({
  name: 'user list',
  summary: 'List the users.',
  jsonShape:
    '[{"name": string, "isAdmin": boolean, "disabled": boolean, "createdAt": string, "passwordSetAt": string}]',
  run: async ({ accounts, print }) => {
    const all = await Array.fromAsync(listAll(accounts))
    print(
      all.map(({ name, isAdmin, disabled, createdAt, passwordSetAt }) => ({
        name,
        isAdmin,
        disabled,
        createdAt: formatTime(createdAt),
        passwordSetAt: formatTime(passwordSetAt),
      })),
      formatTable([
        ['NAME', 'KIND', 'STATE', 'CREATED', 'PASSWORD SET'],
        ...all.map((account) => formatRow(account)),
      ]),
    )
  },
})

function formatRow({ name, isAdmin, disabled, createdAt, passwordSetAt }: Account): string[] {
  const kind = isAdmin ? 'administrator' : 'user'
  return [name, kind, disabled ? 'disabled' : 'active', formatTime(createdAt), formatTime(passwordSetAt)]
}

export async function* listAll(accounts: Pick<Accounts, 'list'>): AsyncGenerator<Account> {
  let after: string | undefined
  do {
    const page = await accounts.list({ after, limit: pageSize })
    yield* page
    after = page.length < pageSize ? undefined : page.at(-1)?.name
  } while (after !== undefined)
}

const passwordCommand = defineServiceCommand({
  name: 'user password',
  summary: 'Set a new password; what the user was logged in with ends at once.',
  words: ['<name>'],
  flags: [
    ...passwordFlags,
    {
      name: '--revoke-tokens',
      summary:
        'Also revoke its access tokens and those that it made for robots, which do not end with the password.',
    },
  ],
  jsonShape: '{"name": string, "password"?: string}, the password when it was generated',
  run: async (invocation) => {
    const { arguments: args, accounts, accessTokens, actor, print } = invocation
    const [name = ''] = args.words
    const { password, isGenerated } = await readNewPassword(invocation)
    await accounts.setPassword(name, password, actor)
    const account = args.has('--revoke-tokens') ? await accounts.find(name) : undefined
    if (account !== undefined) await accessTokens.revokeAll(account.id, actor)
    const done = `set a new password for ${name}`
    if (isGenerated) print({ name, password }, [done, `password: ${password}`])
    else print({ name }, done)
  },
})

const disableCommand = defineServiceCommand({
  name: 'user disable',
  summary: 'Disable a user: its password and its tokens end within a second, what it pushed stays.',
  words: ['<name>'],
  jsonShape: '{"name": string, "disabled": true}',
  run: async ({ arguments: { words }, accounts, actor, print }) => {
    const [name = ''] = words
    await accounts.disable(name, actor)
    print({ name, disabled: true }, `disabled ${name}`)
  },
})

const enableCommand = defineServiceCommand({
  name: 'user enable',
  summary: 'Let a disabled user in again, with its password.',
  words: ['<name>'],
  jsonShape: '{"name": string, "disabled": false}',
  run: async ({ arguments: { words }, accounts, actor, print }) => {
    const [name = ''] = words
    await accounts.enable(name, actor)
    print({ name, disabled: false }, `enabled ${name}`)
  },
})

const promoteCommand = defineServiceCommand({
  name: 'user promote',
  summary: 'Make a user an administrator, who may do everything; it has to log in again.',
  words: ['<name>'],
  jsonShape: '{"name": string, "isAdmin": true}',
  run: async ({ arguments: { words }, accounts, actor, print }) => {
    const [name = ''] = words
    await accounts.setAdministrator(name, true, actor)
    print({ name, isAdmin: true }, `${name} is an administrator`)
  },
})

const demoteCommand = defineServiceCommand({
  name: 'user demote',
  summary: 'Make an administrator a user like others; it has to log in again. The last one stays.',
  words: ['<name>'],
  jsonShape: '{"name": string, "isAdmin": false}',
  run: async ({ arguments: { words }, accounts, actor, print }) => {
    const [name = ''] = words
    await accounts.setAdministrator(name, false, actor)
    print({ name, isAdmin: false }, `${name} is no administrator`)
  },
})

export const userCommands: readonly Command[] = [
  addCommand,
  listCommand,
  passwordCommand,
  disableCommand,
  enableCommand,
  promoteCommand,
  demoteCommand,
]
