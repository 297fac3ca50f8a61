/**
 * Dead keys are storage keys whose bytes are to be deleted. Each is written together with the change that made it
 * unused, and removed after its bytes.
 */
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Digest } from '../../oci/digest.ts'
import type { Reader, Transaction } from '../handles.ts'
import { databaseOf, isAnyOf, kyselyOf } from '../sql/database.ts'
import { eachInTurns } from '../sql/pause.ts'

const firstPauseMs = 60_000
const longestPauseMs = 3_600_000

export interface DeadKey {
  readonly storageKey: string
  /** Absent for the segments of an upload that did not become a blob. */
  readonly digest: Digest | undefined
}

/** Inserts a dead key, or adds the digest to an existing one. */
export async function insertDeadKey(
  tx: Transaction,
  entry: DeadKey & { readonly since: number },
): Promise<void> {
  await kyselyOf(tx)
    .insertInto('dead_key')
    .values({ storage_key: entry.storageKey, digest: entry.digest ?? null, since: entry.since })
    .onConflict((conflict) =>
      conflict.column('storage_key').doUpdateSet((eb) => ({
        digest: eb.fn.coalesce('dead_key.digest', 'excluded.digest'),
      })),
    )
    .execute()
}

/** Like `insertDeadKey`, but only if no blob or upload uses the key; returns whether that was so. */
export async function insertUnusedKey(
  tx: Transaction,
  entry: DeadKey & { readonly since: number },
): Promise<boolean> {
  const unused = await listUnusedKeys(tx, [entry.storageKey])
  if (unused.length === 0) return false
  await insertDeadKey(tx, entry)
  return true
}

export interface DueDeadKey extends DeadKey {
  /** The number of failed attempts to delete its bytes. */
  readonly attempts: number
  /** Whether a blob or an upload also uses the key: then the bytes are in use, and this row is wrong. */
  readonly isNamed: boolean
}

/**
 * Lists the keys that are due: untried ones first, then by the time when they are due. A key with a wait longer than the longest
 * pause was postponed while the clock was ahead, and is also due.
 */
export async function listDueDeadKeys(
  db: Reader,
  options: { readonly now: number; readonly limit: number },
): Promise<DueDeadKey[]> {
  const { now, limit } = options
  const due = await listWaiting(db, { condition: sql<SqlBool>`retry_at <= ${now}`, limit })
  if (due.length >= limit) return due
  const misdated = { condition: sql<SqlBool>`retry_at > ${now + longestPauseMs}`, limit: limit - due.length }
  return [...due, ...(await listWaiting(db, misdated))]
}

async function listWaiting(
  db: Reader,
  { condition, limit }: { readonly condition: RawBuilder<SqlBool>; readonly limit: number },
): Promise<DueDeadKey[]> {
  const rows = await kyselyOf(db)
    .selectFrom('dead_key')
    .leftJoin('blob', 'blob.storage_key', 'dead_key.storage_key')
    .leftJoin('upload', 'upload.storage_key', 'dead_key.storage_key')
    .select(['dead_key.storage_key', 'dead_key.digest', 'dead_key.attempts'])
    .select(['blob.storage_key as blob_key', 'upload.storage_key as upload_key'])
    .where(condition)
    .orderBy('retry_at')
    .orderBy('since')
    .orderBy('dead_key.storage_key')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    ...deadKeyOf(row),
    attempts: row.attempts,
    isNamed: row.blob_key !== null || row.upload_key !== null,
  }))
}

function deadKeyOf(row: { storage_key: string; digest: string | null }): DeadKey {
  return { storageKey: row.storage_key, digest: (row.digest ?? undefined) as Digest | undefined }
}

/**
 * Removes keys whose bytes are deleted. A key that has received its digest since it was read stays, because the bytes
 * under the digest still exist.
 */
export async function removeDeadKeys(tx: Transaction, removed: readonly DeadKey[]): Promise<void> {
  const { kysely, dialect } = databaseOf(tx)
  for (const hasDigest of [true, false]) {
    const some = removed.filter(({ digest }) => (digest !== undefined) === hasDigest)
    if (some.length === 0) continue
    const keys = some.map(({ storageKey }) => storageKey)
    await kysely
      .deleteFrom('dead_key')
      .where(isAnyOf(dialect, 'storage_key', keys))
      .$if(!hasDigest, (query) => query.where('digest', 'is', null))
      .execute()
  }
}

/**
 * Postpones keys after a failed deletion: the next attempt comes after a minute, then after twice as long each time, up
 * to an hour.
 */
export async function postponeDeadKeys(
  tx: Transaction,
  keys: readonly Pick<DueDeadKey, 'storageKey' | 'attempts'>[],
  now: number,
): Promise<void> {
  await eachInTurns(tx, { items: keys, rowsPerItem: 1 }, ({ storageKey, attempts }) => {
    const pauseMs = Math.min(firstPauseMs * 2 ** attempts, longestPauseMs)
    return kyselyOf(tx)
      .updateTable('dead_key')
      .set({ attempts: attempts + 1, retry_at: now + pauseMs })
      .where('storage_key', '=', storageKey)
      .execute()
  })
}

/** The count stops here: an exact higher figure is not worth its cost. */
export const maxCountedDeadKeys = 100_000

/** Counts the dead keys, up to `maxCountedDeadKeys`. */
export async function countDeadKeys(db: Reader): Promise<number> {
  const { count } = await kyselyOf(db)
    .selectFrom((eb) =>
      eb.selectFrom('dead_key').select('since').orderBy('since').limit(maxCountedDeadKeys).as('first'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** Returns the time when the oldest dead key was written, in milliseconds since the epoch; `undefined` if there are none. */
export async function findOldestDeadKey(db: Reader): Promise<number | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('dead_key')
    .select('since')
    .orderBy('since')
    .limit(1)
    .executeTakeFirst()
  return row?.since
}

/**
 * Returns the `keys` that no blob, upload or dead key has. Uses one statement, so that a key that moves from one table
 * to another is not missed.
 */
export function listUnknownKeys(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['blob', 'upload', 'dead_key'])
}

/** Returns the `keys` that no upload or dead key has. These include keys of blobs, whose segments are no longer needed. */
export function listFinishedKeys(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['upload', 'dead_key'])
}

/** Returns the `keys` that no blob or upload has: their bytes are not in use. */
export function listUnusedKeys(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['blob', 'upload'])
}

/** Returns the `keys` that no upload has: their segments are not in use. */
export function listKeysWithoutUpload(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['upload'])
}

async function listUnnamedKeys(
  db: Reader,
  keys: readonly string[],
  tables: readonly ('blob' | 'upload' | 'dead_key')[],
): Promise<string[]> {
  if (keys.length === 0) return []
  const { kysely, dialect } = databaseOf(db)
  const [first, ...others] = tables.map((table) =>
    kysely
      .selectFrom(table)
      .select('storage_key')
      .where(isAnyOf(dialect, 'storage_key', keys)),
  )
  if (first === undefined) return [...keys]
  const rows = await others.reduce((query, other) => query.unionAll(other), first).execute()
  const known = new Set(rows.map((row) => row.storage_key))
  return keys.filter((key) => !known.has(key))
}
