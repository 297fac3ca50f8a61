/** `lading token create|list|rotate|revoke`: the access tokens of users and robots. */
import type { AccessToken, CreatedAccessToken } from '../../../identity/access-tokens/access-tokens.ts'
import { isRoleAction, roleActions, type RoleAction } from '../../../access/permissions.ts'
import { parseRepositoryPattern } from '../../../access/patterns/repository-pattern.ts'
import { listPages, parseId } from '../../services/list-pages.ts'
import { parseChoice } from '../../frame/arguments.ts'
import { CliError } from '../../frame/command.ts'
import type { Command } from '../../frame/command.ts'
import { parseDuration, parseExpiry } from '../../frame/times.ts'
import { getPrincipal, selectPrincipals } from '../../services/principals.ts'
import { defineServiceCommand, formatTable, formatTime } from '../../services/service-command.ts'
import type { ServiceInvocation } from '../../services/service-command.ts'

const tokenShape =
  '{"id": number, "principal": string, "name": string, "hint": string, "actions": string[] | null, "repositories": string[] | null, "createdAt": string, "createdBy": string, "expiresAt": string | null, "usedAt": string | null, "state": "active" | "expired" | "revoked" | "disabled"}'
const createdShape = `${tokenShape} and "token": string, which is shown this once`
const defaultOverlap = '24h'

const createCommand = defineServiceCommand({
  name: 'token create',
  summary: 'Make an access token for a user or a robot (acme+ci), to be used as its password.',
  words: ['<principal>'],
  flags: [
    { name: '--name', value: '<text>', summary: 'To tell the tokens of the account apart.' },
    {
      name: '--action',
      value: '<actions>',
      summary: `What it allows at most, separated by commas: ${roleActions.join(', ')}. All, if absent.`,
    },
    {
      name: '--repository',
      value: '<patterns>',
      summary:
        'Where it counts, as full names with their owner, separated by commas: acme/web, acme/web/**. Everywhere, if absent.',
    },
    {
      name: '--expires',
      value: '<time>',
      summary: 'When it ends: 12h, 90d, or a date like 2030-12-31. When it is revoked, if absent.',
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
        name: args.value('--name') ?? 'token',
        actions: readList(args.value('--action'), parseAction),
        patterns: readList(args.value('--repository'), parseRepositoryPattern),
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
  const end = token.expiresAt === undefined ? 'it is revoked' : formatTime(token.expiresAt)
  print({ ...describe(token, principal), token: secret }, [
    `created access token ${token.id} of ${principal}${limits === '' ? '' : `, ${limits}`}, until ${end}`,
    `token: ${secret}`,
  ])
}

const listCommand = defineServiceCommand({
  name: 'token list',
  summary:
    'List access tokens, those that ended in the last 90 days too; the tokens themselves are not stored.',
  flags: [{ name: '--principal', value: '<name>', summary: 'Of this user or robot only.' }],
  jsonShape: `[${tokenShape}]`,
  run: async (invocation) => {
    const { arguments: args, print } = invocation
    const rows = []
    for await (const account of selectPrincipals(invocation, args.value('--principal'))) {
      const isOut = account.disabled || account.ownerDisabled
      for await (const token of listTokens(invocation.accessTokens, account.id)) {
        const row = describe(token, account.name)
        rows.push(isOut && row.state === 'active' ? { ...row, state: 'disabled' as const } : row)
      }
    }
    print(
      rows,
      formatTable([
        ['ID', 'PRINCIPAL', 'NAME', 'ENDS IN', 'LIMITS', 'CREATED', 'EXPIRES', 'LAST USED', 'STATE'],
        ...rows.map((row) => [
          String(row.id),
          row.principal,
          row.name,
          row.hint,
          formatLimits(row) || '-',
          row.createdAt,
          row.expiresAt ?? '-',
          row.usedAt ?? '-',
          row.state,
        ]),
      ]),
    )
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
  words: ['<id>'],
  flags: [
    {
      name: '--overlap',
      value: '<time>',
      summary: `How long the old one holds at most: 30m, 12h, 0 for one that leaked. ${defaultOverlap}, if absent.`,
    },
  ],
  jsonShape: createdShape,
  run: async ({ arguments: args, accessTokens, actor, print }) => {
    const overlapMs = parseDuration('--overlap', args.value('--overlap') ?? defaultOverlap)
    printCreated(print, await accessTokens.rotate(parseId(args.words[0]), { overlapMs }, actor))
  },
})

const revokeCommand = defineServiceCommand({
  name: 'token revoke',
  summary:
    'Revoke an access token; the tokens that it rotated itself into or from, and their bearer tokens, end too.',
  words: ['<id>'],
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

function readList<T>(value: string | undefined, parse: (text: string) => T): T[] | undefined {
  return value?.split(',').map((text) => parse(text.trim()))
}

function parseAction(text: string): RoleAction {
  return isRoleAction(text) ? text : parseChoice('--action', text, roleActions)
}

function describe(token: AccessToken, principal: string) {
  const { id, name, hint, actions = null, patterns = null, createdAt, createdBy, expiresAt, usedAt } = token
  return {
    id,
    principal,
    name,
    hint,
    actions,
    repositories: patterns,
    createdAt: formatTime(createdAt),
    createdBy,
    expiresAt: expiresAt === undefined ? null : formatTime(expiresAt),
    usedAt: usedAt === undefined ? null : formatTime(usedAt),
    state: stateOf(token),
  }
}

function stateOf({ revokedAt, expiresAt = Infinity }: AccessToken): 'active' | 'expired' | 'revoked' {
  if (revokedAt !== undefined) return 'revoked'
  return expiresAt <= Date.now() ? 'expired' : 'active'
}

interface Limits {
  readonly actions?: readonly string[] | null | undefined
  readonly patterns?: readonly string[] | undefined
  readonly repositories?: readonly string[] | null
}

/** `pull,push in acme/web/**`; empty where there are none. */
function formatLimits({ actions, patterns, repositories = patterns ?? null }: Limits): string {
  const where = repositories === null ? '' : `in ${repositories.join(',')}`
  return [actions?.join(',') ?? '', where].filter((part) => part !== '').join(' ')
}

export const tokenCommands: readonly Command[] = [createCommand, listCommand, rotateCommand, revokeCommand]
