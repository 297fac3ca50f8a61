/** Storage keys whose bytes are to be deleted: written with the row that gave them up, removed after the bytes. */
import { sql, type RawBuilder, type SqlBool } from 'kysely'
import type { Digest } from '../../oci/digest.ts'
import type { Reader, Transaction } from '../handles.ts'
import { databaseOf, isAnyOf, kyselyOf } from '../sql/database.ts'
import { eachInTurns } from '../sql/pause.ts'

const firstPauseMs = 60_000
const longestPauseMs = 3_600_000

export interface DeadKey {
  readonly storageKey: string
  /** Absent for the segments of an upload that became no blob. */
  readonly digest: Digest | undefined
}

/** Adds the digest to a key that is dead already. */
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

/** Does the same unless a blob or an upload names the key; returns whether none does. */
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
  /** How often its deletion has failed. */
  readonly attempts: number
  /** Whether a blob or an upload names the key, too: then its bytes are in use, and the row is wrong. */
  readonly isNamed: boolean
}

/**
 * The keys whose turn has come: never tried ones first, then by the time at which they are due. A key that waits longer
 * than a pause can be was postponed under a clock that was ahead, and is due, too.
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

/** Removes keys whose bytes are gone. A key that got its digest since it was read stays: the bytes under the digest remain. */
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

/** After a deletion that failed: the next attempt comes after a minute, then twice as long each time, at most an hour. */
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

/** Counting further would cost more than the figure is worth. */
export const maxCountedDeadKeys = 100_000

/** Dead keys, at most `maxCountedDeadKeys` of them. */
export async function countDeadKeys(db: Reader): Promise<number> {
  const { count } = await kyselyOf(db)
    .selectFrom((eb) =>
      eb.selectFrom('dead_key').select('since').orderBy('since').limit(maxCountedDeadKeys).as('first'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** When the oldest dead key was written, milliseconds since the epoch; `undefined` when there is none. */
export async function findOldestDeadKey(db: Reader): Promise<number | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('dead_key')
    .select('since')
    .orderBy('since')
    .limit(1)
    .executeTakeFirst()
  return row?.since
}

/** Those of `keys` that no blob, upload or dead key names. One statement: a key on its way from one to the other is seen. */
export function listUnknownKeys(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['blob', 'upload', 'dead_key'])
}

/** Those of `keys` that no upload or dead key names: a blob's key too, whose segments nobody can want any more. */
export function listFinishedKeys(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['upload', 'dead_key'])
}

/** Those of `keys` that no blob or upload names: bytes under them are not in use. */
export function listUnusedKeys(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['blob', 'upload'])
}

/** Those of `keys` that no upload names: segments under them are not in use. */
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
