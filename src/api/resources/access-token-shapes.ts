/** The access tokens of users and robots in requests and replies. */
import { z } from '../zod.ts'
import type {
  AccessToken,
  AccessTokenRequest,
  CreatedAccessToken,
} from '../../identity/access-tokens/access-tokens.ts'
import { roleActions } from '../../access/permissions.ts'
import { parseRepositoryPattern } from '../../access/patterns/repository-pattern.ts'
import type { EndpointReply } from '../endpoint.ts'
import { readHeavyPage } from '../input/pages.ts'
import type { Page } from '../input/pages.ts'
import { formatTime, text, time } from '../schemas.ts'
import { notFound } from '../errors/api-error.ts'
import type { ApiServices } from '../services.ts'

export const action = z.enum(roleActions)

/** A pattern such as `acme/web/**`; its parser checks the grammar. */
export const patternText = z.string().min(1).max(255).openapi({
  example: 'acme/web/**',
  description: '`*` matches within a component, `**` any number of components.',
})

export const token = z
  .object({
    id: z.int(),
    name: z.string(),
    hint: z.string().meta({ description: 'The last characters of the secret.' }),
    actions: z.array(z.string()).optional().meta({
      description: 'The actions that the token allows; absent: all actions that the account may do.',
    }),
    repositories: z.array(z.string()).optional().meta({
      description: 'Patterns of the repositories that the token reaches; absent: all repositories.',
    }),
    createdAt: time,
    expiresAt: time.optional(),
    usedAt: time.optional().meta({ description: 'The last use, recorded at most once an hour.' }),
    revokedAt: time.optional(),
  })
  .openapi('AccessToken')

export const createdToken = z
  .object({ token, secret: z.string().meta({ description: 'The secret, shown only in this reply.' }) })
  .openapi('CreatedAccessToken')

export const newToken = z.strictObject({
  name: text(100).min(1),
  actions: z.array(action).min(1).max(10).optional(),
  repositories: z.array(patternText).min(1).max(100).optional(),
  expiresAt: z.iso
    .datetime({ offset: true })
    .transform((value) => Date.parse(value))
    .optional(),
})

/** Whether a new password also revokes access tokens: anyone who knew the old one may have created some. */
export const revokeTokens = z.boolean().default(false).meta({
  description:
    'Whether to also revoke the access tokens of the user and the tokens that the user created for robots.',
})

const maxOverlapSeconds = 7 * 24 * 3600

export const rotation = z.strictObject({
  overlapSeconds: z.int().min(0).max(maxOverlapSeconds).default(0).meta({
    description: 'How long the old secret stays valid.',
  }),
})

export function toTokenRequest({
  name,
  actions,
  repositories,
  expiresAt,
}: z.output<typeof newToken>): AccessTokenRequest {
  return {
    name,
    actions,
    patterns: repositories?.map((one) => parseRepositoryPattern(one)),
    expiresAt,
  }
}

export function formatToken({
  id,
  name,
  hint,
  actions,
  patterns,
  ...times
}: AccessToken): z.input<typeof token> {
  const { createdAt, expiresAt, usedAt, revokedAt } = times
  return {
    id,
    name,
    hint,
    actions: actions && [...actions],
    repositories: patterns && [...patterns],
    createdAt: formatTime(createdAt),
    expiresAt: expiresAt === undefined ? undefined : formatTime(expiresAt),
    usedAt: usedAt === undefined ? undefined : formatTime(usedAt),
    revokedAt: revokedAt === undefined ? undefined : formatTime(revokedAt),
  }
}

export function createdReply(
  { token: created, secret }: CreatedAccessToken,
  collection: string,
): EndpointReply<z.input<typeof createdToken>> {
  return { value: { token: formatToken(created), secret }, location: `${collection}/${created.id}` }
}

export async function listTokens(accountId: number, page: Page, { accessTokens }: ApiServices) {
  const found = await readHeavyPage(
    page,
    ({ limit, after }) =>
      accessTokens.list({ accountId, limit, after: after === undefined ? undefined : Number(after) }),
    { keyOf: ({ id }) => String(id), weigh: weighToken },
  )
  return { ...found, value: { items: found.value.items.map(formatToken) } }
}

/** Returns the length of the patterns of a token, which has up to 100 patterns of 255 characters. */
function weighToken({ patterns = [] }: AccessToken): number {
  return patterns.reduce((sum, pattern) => sum + pattern.length, 0)
}

/** Throws the same `NotVisibleError` for an id of another account and for one that never existed. */
export async function getTokenOf(
  accountId: number,
  id: number,
  { accessTokens }: ApiServices,
): Promise<AccessToken> {
  const found = await accessTokens.find(id)
  if (found?.accountId !== accountId) throw notFound(`access token ${id}`)
  return found
}
