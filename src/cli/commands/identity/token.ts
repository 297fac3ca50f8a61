/** `lading token create|list|rotate|revoke`: the access tokens of users and robots. */
import type { AccessToken, CreatedAccessToken } from '../../../identity/access-tokens/access-tokens.ts'
import { isRoleAction, roleActions } from '../../../access/permissions.ts'
import { parseRepositoryPattern } from '../../../access/patterns/repository-pattern.ts'
import { listPages, parseId } from '../../services/list-pages.ts'
import { CliError } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { parseDuration, parseExpiry } from '../../frame/times.ts'
import { getPrincipal, selectPrincipals } from '../../services/principals.ts'
import { formatTime, toDate } from '../../frame/output.ts'
import { defineServiceCommand } from '../../services/service-command.ts'
import type { ServiceInvocation } from '../../services/service-command.ts'

const tokenShape =
  '{"id": number, "principal": string, "name": string, "hint": string, "actions"?: string[], "repositories"?: string[], "createdAt": string, "createdBy": string, "expiresAt"?: string, "usedAt"?: string, "revokedAt"?: string, "state": "active" | "expired" | "revoked" | "disabled"}'
const createdShape = `{"token": ${tokenShape}, "secret": string}`

const createCommand = defineServiceCommand({
  name: 'token create',
  summary: 'Create an access token for a user or a robot (acme+ci), for use as the password.',
  arguments: [{ name: '<principal>' }],
  options: [
    {
      name: '--name',
      type: 'text',
      value: '<text>',
      default: 'token',
      summary: 'A name that tells the tokens of the account apart.',
    },
    {
      name: '--action',
      type: 'list',
      value: '<actions>',
      choices: roleActions,
      summary: 'Allow only these actions. Without it, the token allows everything that its account may do.',
    },
    {
      name: '--repository',
      type: 'list',
      value: '<patterns>',
      summary:
        'Allow only these repositories, by their full names: acme/web,acme/web/**. Without it, the token is valid for all repositories.',
    },
    {
      name: '--expires',
      type: 'time',
      value: '<time>',
      summary:
        'When the token expires: 12h, 90d, or a date like 2030-12-31. Without it, the token is valid until it is revoked.',
    },
  ],
  jsonShape: createdShape,
  run: async (invocation) => {
    const { arguments: args, accessTokens, actor, print } = invocation
    const account = await getPrincipal(invocation, args.words[0] ?? '')
    const expires = args.value('--expires')
    const created = await accessTokens.create(
      account.id,
      {
        name: args.value('--name') ?? '',
        actions: readList(args.value('--action'))?.filter(isRoleAction),
        patterns: readList(args.value('--repository'))?.map(parseRepositoryPattern),
        expiresAt: expires === undefined ? undefined : parseExpiry('--expires', expires, Date.now()),
      },
      actor,
    )
    printCreated(print, created)
  },
})

function printCreated(
  print: ServiceInvocation['print'],
  { token, principal, secret }: CreatedAccessToken,
): void {
  const limits = formatLimits(token)
  const end = token.expiresAt === undefined ? 'it is revoked' : formatTime(new Date(token.expiresAt))
  print({ token: describe(token, principal), secret }, [
    `created access token ${token.id} of ${principal}${limits === '' ? '' : `, ${limits}`}, until ${end}`,
    `token: ${secret}`,
  ])
}

const listCommand = defineServiceCommand({
  name: 'token list',
  summary:
    'List access tokens, including those that expired or were revoked in the last 90 days. Lading does not store the tokens themselves.',
  options: [
    { name: '--principal', type: 'text', value: '<name>', summary: 'Only tokens of this user or robot.' },
  ],
  jsonShape: `[${tokenShape}]`,
  run: async (invocation) => {
    const { arguments: args, printTable } = invocation
    const rows = []
    for await (const account of selectPrincipals(invocation, args.value('--principal'))) {
      const isDisabled = account.disabled || account.ownerDisabled
      for await (const token of listTokens(invocation.accessTokens, account.id)) {
        const row = describe(token, account.name)
        rows.push(isDisabled && row.state === 'active' ? { ...row, state: 'disabled' as const } : row)
      }
    }
    printTable(rows, {
      ID: ({ id }) => id,
      PRINCIPAL: ({ principal }) => principal,
      NAME: ({ name }) => name,
      'ENDS WITH': ({ hint }) => hint,
      LIMITS: (row) => formatLimits(row) || undefined,
      CREATED: ({ createdAt }) => createdAt,
      EXPIRES: ({ expiresAt }) => expiresAt,
      'LAST USED': ({ usedAt }) => usedAt,
      STATE: ({ state }) => state,
    })
  },
})

function listTokens(
  accessTokens: ServiceInvocation['accessTokens'],
  accountId: number,
): AsyncGenerator<AccessToken> {
  return listPages(
    (after: number | undefined, limit) => accessTokens.list({ accountId, after, limit }),
    ({ id }) => id,
  )
}

const rotateCommand = defineServiceCommand({
  name: 'token rotate',
  summary:
    'Replace an access token with a new one that has the same limits and lifetime. The old token stays valid for the overlap.',
  arguments: [{ name: '<id>' }],
  options: [
    {
      name: '--overlap',
      type: 'time',
      value: '<time>',
      default: '24h',
      summary: 'The longest time that the old token stays valid: 30m, 12h, or 0 for a leaked token.',
    },
  ],
  jsonShape: createdShape,
  run: async ({ arguments: args, accessTokens, actor, print }) => {
    const overlapMs = parseDuration('--overlap', args.value('--overlap') ?? '')
    printCreated(print, await accessTokens.rotate(parseId(args.words[0]), { overlapMs }, actor))
  },
})

const revokeCommand = defineServiceCommand({
  name: 'token revoke',
  summary:
    'Revoke an access token, together with its earlier and later rotations and all bearer tokens of these.',
  arguments: [{ name: '<id>' }],
  jsonShape: '{"id": number, "revoked": true}',
  run: async ({ arguments: { words }, accessTokens, actor, print }) => {
    const id = parseId(words[0])
    if (!(await accessTokens.revoke(id, actor))) {
      throw new CliError(
        `access token ${id} does not exist or is no longer valid; lading token list shows the ids and states`,
      )
    }
    print({ id, revoked: true }, `revoked access token ${id}`)
  },
})

function readList(value: string | undefined): string[] | undefined {
  return value?.split(',').map((text) => text.trim())
}

function describe(token: AccessToken, principal: string) {
  const { id, name, hint, actions, patterns, createdAt, createdBy, expiresAt, usedAt, revokedAt } = token
  return {
    id,
    principal,
    name,
    hint,
    actions,
    repositories: patterns,
    createdAt: new Date(createdAt),
    createdBy,
    expiresAt: toDate(expiresAt),
    usedAt: toDate(usedAt),
    revokedAt: toDate(revokedAt),
    state: stateOf(token),
  }
}

function stateOf({ revokedAt, expiresAt = Infinity }: AccessToken): 'active' | 'expired' | 'revoked' {
  if (revokedAt !== undefined) return 'revoked'
  return expiresAt <= Date.now() ? 'expired' : 'active'
}

interface Limits {
  readonly actions?: readonly string[] | undefined
  readonly patterns?: readonly string[] | undefined
  readonly repositories?: readonly string[] | undefined
}

/** Returns the limits, `pull,push in acme/web/**`, or an empty text without limits. */
function formatLimits({ actions, patterns, repositories = patterns }: Limits): string {
  const where = repositories === undefined ? '' : `in ${repositories.join(',')}`
  return [actions?.join(',') ?? '', where].filter((part) => part !== '').join(' ')
}

export const tokenCommands: readonly Command[] = [createCommand, listCommand, rotateCommand, revokeCommand]
