/**
 * The keys of this installation that sign bearer tokens. One is active; retired keys still verify tokens until the last token
 * they signed has expired.
 */
import type { Reader, Transaction } from '../handles.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { hasRowLocks, kyselyOf } from '../sql/database.ts'
import { createRowReader } from '../sql/row-reader.ts'

export interface SigningKey {
  readonly kid: string
  readonly state: 'active' | 'retired'
  /** The public key as a JWK in JSON text. */
  readonly publicKey: string
  readonly createdAt: number
  /** The time from which tokens of a retired key are no longer valid. */
  readonly verifyUntil: number | undefined
}

const columns = ['kid', 'state', 'public_key', 'created_at', 'verify_until'] as const

const keyOf = createRowReader(columns)

// If two keys were created at the same moment, every process picks the same one.
const activeKey = compileOnce<object, { kid: string; private_key: string | null }>(({ kysely }) =>
  kysely
    .selectFrom('signing_key')
    .select(['kid', 'private_key'])
    .where('state', '=', 'active')
    .orderBy('created_at', 'desc')
    .orderBy('kid', 'desc')
    .limit(1),
)

/** Returns the active key. The private key is a JWK in JSON text. */
export async function findActiveKey(db: Reader): Promise<{ kid: string; privateKey: string } | undefined> {
  const row = await activeKey.first(db, {})
  if (row === undefined || row.private_key === null) return undefined
  return { kid: row.kid, privateKey: row.private_key }
}

/** Lists the keys that still verify, without private keys: the active one first, then newest first. */
export async function listSigningKeys(db: Reader, now: number): Promise<SigningKey[]> {
  const rows = await kyselyOf(db)
    .selectFrom('signing_key')
    .select(columns)
    .where('state', 'in', ['active', 'retired'])
    .execute()
  return rows
    .filter((row) => row.verify_until === null || row.verify_until > now)
    .map(keyOf)
    .toSorted((a, b) => rankOf(a) - rankOf(b) || b.createdAt - a.createdAt)
}

/**
 * Makes this key the active one. The other keys lose their private parts and verify until `verifyUntil`; expired keys
 * are removed.
 */
export async function insertSigningKey(
  tx: Transaction,
  key: {
    readonly kid: string
    readonly publicKey: string
    readonly privateKey: string
    readonly now: number
    readonly verifyUntil: number
  },
): Promise<void> {
  const kysely = kyselyOf(tx)
  await kysely
    .deleteFrom('signing_key')
    .where('state', '=', 'retired')
    .where('verify_until', '<=', key.now)
    .execute()
  await kysely
    .updateTable('signing_key')
    .set({ state: 'retired', private_key: null, verify_until: key.verifyUntil })
    .where('state', '=', 'active')
    .execute()
  // Keys that were retired earlier may verify for longer than `verifyUntil`. All of them end when a key has leaked.
  await kysely
    .updateTable('signing_key')
    .set({ verify_until: key.verifyUntil })
    .where('state', '=', 'retired')
    .where('verify_until', '>', key.verifyUntil)
    .execute()
  await kysely
    .insertInto('signing_key')
    .values({
      kid: key.kid,
      state: 'active',
      public_key: key.publicKey,
      private_key: key.privateKey,
      created_at: key.now,
      verify_until: null,
    })
    .execute()
}

/** Locks the signing keys until the transaction ends, so that only one of two concurrent first starts creates the key. */
export async function lockSigningKeys(tx: Transaction): Promise<void> {
  if (!hasRowLocks(tx)) return
  await kyselyOf(tx).selectFrom('installation').select('id').where('singleton', '=', 1).forUpdate().execute()
}

function rankOf({ state }: SigningKey): number {
  return state === 'active' ? 0 : 1
}
