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
  summary: 'Make an access token for a user or a robot (acme+ci), to be used as its password.',
  arguments: [{ name: '<principal>' }],
  options: [
    {
      name: '--name',
      type: 'text',
      value: '<text>',
      default: 'token',
      summary: 'Tells the tokens of the account apart.',
    },
    {
      name: '--action',
      type: 'list',
      value: '<actions>',
      choices: roleActions,
      summary: 'Allow only these actions. Without it the token allows everything that its account may do.',
    },
    {
      name: '--repository',
      type: 'list',
      value: '<patterns>',
      summary:
        'Allow only these repositories, as full names with their owner: acme/web,acme/web/**. Without it the token is valid everywhere.',
    },
    {
      name: '--expires',
      type: 'time',
      value: '<time>',
      summary:
        'When it expires: 12h, 90d, or a date like 2030-12-31. Without it the token is valid until it is revoked.',
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
    'List access tokens, those that ended in the last 90 days too; the tokens themselves are not stored.',
  options: [{ name: '--principal', type: 'text', value: '<name>', summary: 'Of this user or robot only.' }],
  jsonShape: `[${tokenShape}]`,
  run: async (invocation) => {
    const { arguments: args, printTable } = invocation
    const rows = []
    for await (const account of selectPrincipals(invocation, args.value('--principal'))) {
      const isOut = account.disabled || account.ownerDisabled
      for await (const token of listTokens(invocation.accessTokens, account.id)) {
        const row = describe(token, account.name)
        rows.push(isOut && row.state === 'active' ? { ...row, state: 'disabled' as const } : row)
      }
    }
    printTable(rows, {
      ID: ({ id }) => id,
      PRINCIPAL: ({ principal }) => principal,
      NAME: ({ name }) => name,
      'ENDS IN': ({ hint }) => hint,
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
    'Replace an access token by a new one with the same limits and lifetime; the old one stays valid for a while.',
  arguments: [{ name: '<id>' }],
  options: [
    {
      name: '--overlap',
      type: 'time',
      value: '<time>',
      default: '24h',
      summary: 'How long the old token stays valid at most: 30m, 12h, or 0 for a token that leaked.',
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
    'Revoke an access token; the tokens that it rotated itself into or from, and their bearer tokens, end too.',
  arguments: [{ name: '<id>' }],
  jsonShape: '{"id": number, "revoked": true}',
  run: async ({ arguments: { words }, accessTokens, actor, print }) => {
    const id = parseId(words[0])
    if (!(await accessTokens.revoke(id, actor))) {
      throw new CliError(
        `there is no access token ${id} that is active: lading token list shows the ids and which have ended`,
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

/** `pull,push in acme/web/**`; empty where there are none. */
function formatLimits({ actions, patterns, repositories = patterns }: Limits): string {
  const where = repositories === undefined ? '' : `in ${repositories.join(',')}`
  return [actions?.join(',') ?? '', where].filter((part) => part !== '').join(' ')
}

export const tokenCommands: readonly Command[] = [createCommand, listCommand, rotateCommand, revokeCommand]
