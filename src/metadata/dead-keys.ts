/** Storage keys whose bytes are to be deleted: written with the row that gave them up, removed after the bytes. */
import type { Digest } from '../oci/digest.ts'
import type { Reader, Transaction } from './handles.ts'
import { databaseOf, isAnyOf, kyselyOf } from './sql/database.ts'

export interface DeadKey {
  readonly storageKey: string
  /** Absent for the segments of an upload that became no blob. */
  readonly digest: Digest | undefined
}

export async function insertDeadKey(
  tx: Transaction,
  entry: DeadKey & { readonly since: number },
): Promise<void> {
  await kyselyOf(tx)
    .insertInto('dead_key')
    .values({ storage_key: entry.storageKey, digest: entry.digest ?? null, since: entry.since })
    .onConflict((conflict) => conflict.column('storage_key').doNothing())
    .execute()
}

/** Oldest first. */
export async function listDeadKeys(db: Reader, options: { readonly limit: number }): Promise<DeadKey[]> {
  const rows = await kyselyOf(db)
    .selectFrom('dead_key')
    .select(['storage_key', 'digest'])
    .orderBy('since')
    .orderBy('storage_key')
    .limit(options.limit)
    .execute()
  return rows.map((row) => ({
    storageKey: row.storage_key,
    digest: (row.digest ?? undefined) as Digest | undefined,
  }))
}

export async function removeDeadKey(tx: Transaction, storageKey: string): Promise<void> {
  await kyselyOf(tx).deleteFrom('dead_key').where('storage_key', '=', storageKey).execute()
}

/** Those of `keys` that no blob, upload or dead key names. One statement: a key on its way from one to the other is seen. */
export function listUnknownKeys(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['blob', 'upload', 'dead_key'])
}

/** Those of `keys` that no upload or dead key names: a blob's key too, whose segments nobody can want any more. */
export function listFinishedKeys(db: Reader, keys: readonly string[]): Promise<string[]> {
  return listUnnamedKeys(db, keys, ['upload', 'dead_key'])
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
