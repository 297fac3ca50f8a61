/**
 * Access tokens are stored as hashes. Every request calls `isAccessTokenUnchanged`, so that a revocation takes effect at
 * once.
 */
import { sql } from 'kysely'
import type { Selectable, SqlBool } from 'kysely'
import { andThen } from '../../lib/maybe-promise.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { isAsProven, isOut, provenParameters, stateOf } from './accounts.ts'
import type { AccountState, ProvenAccount, ProvenParameters, StateRow } from './accounts.ts'
import { noteUses } from './credentials.ts'
import type { AccessTokenTable } from './schema.ts'
import { endTokens, revokeTokens } from './token-ends.ts'
import type { Reader, Transaction } from '../handles.ts'
import { compileOnce } from '../sql/compile-once.ts'
import type { TemplateInput } from '../sql/compile-once.ts'
import { kyselyOf } from '../sql/database.ts'
import { deleteSome } from '../sql/delete-rows.ts'
import { pageById } from '../sql/keyset-page.ts'
import { createRowReader } from '../sql/row-reader.ts'
import { storableText } from '../sql/storable-text.ts'

export interface TokenBounds {
  /** The allowed actions; `undefined` allows everything that the account may do. */
  readonly actions: readonly string[] | undefined
  /** The repositories that it is limited to; `undefined` means all. */
  readonly patterns: readonly string[] | undefined
}

export interface NewAccessToken extends TokenBounds {
  readonly accountId: number
  readonly name: string
  readonly tokenHash: string
  /** The last characters of the token, by which people recognise it. */
  readonly hint: string
  readonly createdBy: string
  readonly expiresAt: number | undefined
  /** The lifetime that a rotation renews. Default: the time from `now` to `expiresAt`. */
  readonly lifetimeMs?: number | undefined
  /** The first token of the lineage. Set only for a token that another token rotated itself into. */
  readonly firstId?: number | undefined
  readonly now: number
}

export interface AccessToken extends TokenBounds {
  readonly id: number
  readonly accountId: number
  readonly name: string
  readonly hint: string
  readonly createdAt: number
  readonly createdBy: string
  readonly expiresAt: number | undefined
  readonly usedAt: number | undefined
  readonly revokedAt: number | undefined
}

/** A token and the account that holds it. */
export interface TokenHolder {
  readonly account: AccountState & { readonly id: number }
  readonly token: TokenBounds & {
    readonly id: number
    readonly expiresAt: number | undefined
    readonly isRevoked: boolean
  }
}

type TokenRow = Selectable<AccessTokenTable>

type HolderRow = StateRow &
  Pick<TokenRow, 'id' | 'account_id' | 'actions' | 'patterns' | 'expires_at' | 'revoked_at'>

const columns = [
  'id',
  'account_id',
  'name',
  'hint',
  'created_at',
  'created_by',
  'expires_at',
  'used_at',
  'revoked_at',
] as const

const boundsColumns = ['actions', 'patterns'] as const

const read = createRowReader(columns)

interface Unchanged extends ProvenParameters {
  readonly tokenId: number
  readonly patterns: string
  readonly now: number
}

const unchangedToken = compileOnce<Unchanged, { id: number }>(({ kysely, parameter }) =>
  kysely
    .selectFrom('access_token')
    .innerJoin('account', 'account.id', 'access_token.account_id')
    .select('access_token.id')
    .where('access_token.id', '=', parameter('tokenId'))
    .where('access_token.revoked_at', 'is', null)
    .where(sql<string>`coalesce(access_token.patterns, '')`, '=', parameter('patterns'))
    .where((eb) =>
      eb.or([
        eb('access_token.expires_at', 'is', null),
        eb('access_token.expires_at', '>', parameter('now')),
      ]),
    )
    .where(isOut, '=', sql.lit(0))
    .where(isAsProven(parameter)),
)

const holderByHash = compileOnce<{ tokenHash: string }, HolderRow>((input) =>
  selectHolder(input).where('access_token.token_hash', '=', input.parameter('tokenHash')),
)

const holderById = compileOnce<{ id: number }, HolderRow>((input) =>
  selectHolder(input).where('access_token.id', '=', input.parameter('id')),
)

// oxlint-disable-next-line typescript/explicit-function-return-type -- the builder's type is the query itself
function selectHolder({ kysely }: Pick<TemplateInput<object>, 'kysely'>) {
  return kysely
    .selectFrom('access_token')
    .innerJoin('account', 'account.id', 'access_token.account_id')
    .select([
      'access_token.id',
      'access_token.account_id',
      'access_token.actions',
      'access_token.patterns',
      'access_token.expires_at',
      'access_token.revoked_at',
      'account.kind',
      'account.name',
      'account.is_admin',
      'account.credential_version',
    ])
    .select(isOut.as('disabled'))
}

/**
 * Whether token and account exist, are active and are otherwise unchanged. Takes one query on every request that carries
 * such a token or one issued from it. On SQLite it answers at once.
 */
export function isAccessTokenUnchanged(
  db: Reader,
  proven: ProvenAccount & {
    readonly tokenId: number
    /** The patterns change when an owner that they name is renamed. */
    readonly patterns: readonly string[] | undefined
    readonly now: number
  },
): MaybePromise<boolean> {
  const { tokenId, now } = proven
  const patterns = proven.patterns === undefined ? '' : JSON.stringify(proven.patterns)
  const found = unchangedToken.first(db, { ...provenParameters(proven), tokenId, patterns, now })
  return andThen(found, (row) => row !== undefined)
}

/** Also finds a token that has ended, and one of a disabled account. */
export async function findTokenHolder(
  db: Reader,
  by: { readonly tokenHash: string } | { readonly id: number },
): Promise<TokenHolder | undefined> {
  const row = await ('id' in by ? holderById.first(db, by) : holderByHash.first(db, by))
  if (row === undefined) return undefined
  return {
    account: { ...stateOf(row), id: row.account_id },
    token: {
      ...boundsOf(row),
      id: row.id,
      expiresAt: row.expires_at ?? undefined,
      isRevoked: row.revoked_at !== null,
    },
  }
}

export async function insertAccessToken(tx: Transaction, token: NewAccessToken): Promise<number> {
  const { id } = await kyselyOf(tx)
    .insertInto('access_token')
    .values({
      account_id: token.accountId,
      name: storableText(token.name),
      token_hash: token.tokenHash,
      hint: token.hint,
      actions: token.actions === undefined ? null : JSON.stringify(token.actions),
      patterns: token.patterns === undefined ? null : JSON.stringify(token.patterns),
      created_at: token.now,
      created_by: token.createdBy,
      expires_at: token.expiresAt ?? null,
      lifetime_ms: lifetimeOf(token) ?? null,
      first_id: token.firstId ?? null,
      used_at: null,
      revoked_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

function lifetimeOf({ lifetimeMs, expiresAt, now }: NewAccessToken): number | undefined {
  return lifetimeMs ?? (expiresAt === undefined ? undefined : expiresAt - now)
}

/** Also finds a token that has ended. */
export async function findAccessToken(db: Reader, id: number): Promise<AccessToken | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('access_token')
    .select([...columns, ...boundsColumns])
    .where('id', '=', id)
    .executeTakeFirst()
  return row && tokenOf(row)
}

/** Lists the tokens of one account, oldest first, including ended ones until the job removes them. */
export async function listAccessTokens(
  db: Reader,
  page: { readonly accountId: number; readonly after?: number | undefined; readonly limit: number },
): Promise<AccessToken[]> {
  const tokens = kyselyOf(db)
    .selectFrom('access_token')
    .select([...columns, ...boundsColumns])
    .where('account_id', '=', page.accountId)
  return (await pageById(tokens, 'id', page).execute()).map(tokenOf)
}

/** Counts the active tokens of one account. */
export async function countAccessTokens(
  db: Reader,
  {
    accountId,
    now,
    exceptId = 0,
  }: { readonly accountId: number; readonly now: number; readonly exceptId?: number | undefined },
): Promise<number> {
  const { count } = await kyselyOf(db)
    .selectFrom('access_token')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account_id', '=', accountId)
    .where('id', '!=', exceptId)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirstOrThrow()
  return count
}

/**
 * Revokes one token and returns whether it was still unrevoked. The rest of its lineage stays valid;
 * `revokeTokenLineage` ends that too.
 */
export async function revokeAccessToken(
  tx: Transaction,
  { id, now }: { readonly id: number; readonly now: number },
): Promise<boolean> {
  return (await revokeTokens(tx, { where: sql<SqlBool>`id = ${id}`, now })) > 0
}

/** Revokes all tokens of one account and returns the number that were not revoked before. */
export function revokeAccessTokensOf(
  tx: Transaction,
  { accountId, now }: { readonly accountId: number; readonly now: number },
): Promise<number> {
  return revokeTokens(tx, { where: sql<SqlBool>`account_id = ${accountId}`, now })
}

/** Brings the end of a token forward to `at`; a token that ends earlier keeps its end. */
export function endAccessToken(
  tx: Transaction,
  { id, at }: { readonly id: number; readonly at: number },
): Promise<void> {
  return endTokens(tx, { where: sql<SqlBool>`id = ${id}`, at })
}

/**
 * Sets the time of use for each id. A row whose use was recorded after `before` is not changed, unless its time is in the future.
 */
export function noteAccessTokenUses(
  tx: Transaction,
  uses: ReadonlyMap<number, number>,
  before: number,
): Promise<void> {
  return noteUses(tx, 'access_token', { uses, before })
}

/** Deletes tokens that were revoked or expired before `before`, at most `limit` of each kind, and returns their number. */
export async function deleteEndedAccessTokens(
  tx: Transaction,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<number> {
  let deleted = 0
  for (const column of ['revoked_at', 'expires_at'] as const) {
    const where = sql<SqlBool>`${sql.ref(column)} < ${before}`
    deleted += await deleteSome(tx, 'access_token', { key: ['id'], where, orderBy: column, limit })
  }
  return deleted
}

function tokenOf(row: Pick<TokenRow, (typeof columns)[number] | keyof TokenBounds>): AccessToken {
  return { ...read(row), ...boundsOf(row) }
}

function boundsOf({ actions, patterns }: Pick<TokenRow, 'actions' | 'patterns'>): TokenBounds {
  return { actions: parseList(actions), patterns: parseList(patterns) }
}

function parseList(json: string | null): string[] | undefined {
  return json === null ? undefined : (JSON.parse(json) as string[])
}
