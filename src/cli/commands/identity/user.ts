/** `lading user add|list|password|disable|enable|promote|demote`. */
import type { Account } from '../../../identity/accounts/accounts.ts'
import type { Command } from '../../frame/command.ts'
import { passwordOptions, readNewPassword } from '../../services/password-source.ts'
import { listUsers } from '../../services/principals.ts'
import { defineServiceCommand } from '../../services/service-command.ts'

const nameArgument = { name: '<name>' }

const addCommand = defineServiceCommand({
  name: 'user add',
  summary: 'Create a user, who owns all repositories below the name.',
  arguments: [nameArgument],
  options: [
    {
      name: '--admin',
      type: 'switch',
      summary: 'Make the user an administrator, who may do everything in every repository.',
    },
    {
      name: '--adopt',
      type: 'switch',
      summary: 'Allow the name of an existing organization: the user takes over its repositories.',
    },
    ...passwordOptions,
  ],
  jsonShape: '{"name": string, "isAdmin": boolean, "password"?: string}',
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
  run: async ({ accounts, printTable }) => {
    printTable((await Array.fromAsync(listUsers(accounts))).map(describe), {
      NAME: ({ name }) => name,
      KIND: ({ isAdmin }) => (isAdmin ? 'administrator' : 'user'),
      STATE: ({ disabled }) => (disabled ? 'disabled' : 'active'),
      CREATED: ({ createdAt }) => createdAt,
      'PASSWORD SET': ({ passwordSetAt }) => passwordSetAt,
    })
  },
})

function describe({ name, isAdmin, disabled, createdAt, passwordSetAt }: Account) {
  return {
    name,
    isAdmin,
    disabled,
    createdAt: new Date(createdAt),
    passwordSetAt: new Date(passwordSetAt),
  }
}

const passwordCommand = defineServiceCommand({
  name: 'user password',
  summary: 'Set a new password. The user is logged out everywhere immediately.',
  arguments: [nameArgument],
  options: [
    ...passwordOptions,
    {
      name: '--revoke-tokens',
      type: 'switch',
      summary:
        'Also revoke the access tokens of the user and the ones that the user created for robots; otherwise they stay valid.',
    },
  ],
  jsonShape: '{"name": string, "password"?: string}',
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
  summary:
    'Disable a user. All credentials of the user are refused from the next request on; the content that the user pushed stays.',
  arguments: [nameArgument],
  jsonShape: '{"name": string, "disabled": true}',
  run: async ({ arguments: { words }, accounts, actor, print }) => {
    const [name = ''] = words
    await accounts.disable(name, actor)
    print({ name, disabled: true }, `disabled ${name}`)
  },
})

const enableCommand = defineServiceCommand({
  name: 'user enable',
  summary: 'Enable a disabled user. The password and the access tokens work again.',
  arguments: [nameArgument],
  jsonShape: '{"name": string, "disabled": false}',
  run: async ({ arguments: { words }, accounts, actor, print }) => {
    const [name = ''] = words
    await accounts.enable(name, actor)
    print({ name, disabled: false }, `enabled ${name}`)
  },
})

const promoteCommand = defineServiceCommand({
  name: 'user promote',
  summary: 'Make a user an administrator, who may do everything. The user must log in again.',
  arguments: [nameArgument],
  jsonShape: '{"name": string, "isAdmin": true}',
  run: async ({ arguments: { words }, accounts, actor, print }) => {
    const [name = ''] = words
    await accounts.setAdministrator(name, true, actor)
    print({ name, isAdmin: true }, `${name} is an administrator`)
  },
})

const demoteCommand = defineServiceCommand({
  name: 'user demote',
  summary:
    'Make an administrator an ordinary user. The user must log in again. The last administrator cannot be demoted.',
  arguments: [nameArgument],
  jsonShape: '{"name": string, "isAdmin": false}',
  run: async ({ arguments: { words }, accounts, actor, print }) => {
    const [name = ''] = words
    await accounts.setAdministrator(name, false, actor)
    print({ name, isAdmin: false }, `${name} is not an administrator`)
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
