/**
 * Blobs and their visibility. `blob` maps a digest to the key of its bytes, once for the whole instance; `blob_link`
 * lists the repositories in which it is visible. Lock order on PostgreSQL: links before blobs, both in digest order.
 */
import { sql, type SqlBool } from 'kysely'
import type { Digest } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { insertDeadKey } from './dead-keys.ts'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import { chunks } from '../sql/chunks.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { databaseOf, hasRowLocks, isAnyOf, kyselyOf, listParameter } from '../sql/database.ts'
import { eachInTurns, pause, rowsPerTurn } from '../sql/pause.ts'

export interface BlobLocation {
  readonly digest: Digest
  readonly storageKey: string
  readonly size: number
}

interface LocationRow {
  digest: string
  storage_key: string
  size: number
}

const linkedBlob = compileOnce<{ repository: string; digest: string }, { storage_key: string; size: number }>(
  ({ kysely, parameter }) =>
    kysely
      .selectFrom('repository')
      .innerJoin('blob_link', 'blob_link.repository_id', 'repository.id')
      .innerJoin('blob', 'blob.digest', 'blob_link.digest')
      .select(['blob.storage_key', 'blob.size'])
      .where('repository.name', '=', parameter('repository'))
      .where('blob_link.digest', '=', parameter('digest'))
      .where('blob_link.state', '=', sql.lit('live')),
)

const blobByDigest = compileOnce<{ digest: string }, LocationRow>(({ kysely, parameter }) =>
  kysely
    .selectFrom('blob')
    .select(['digest', 'storage_key', 'size'])
    .where('digest', '=', parameter('digest')),
)

const pinnedBlob = compileOnce<{ digest: string }, LocationRow>(({ kysely, dialect, parameter }) => {
  const query = kysely
    .selectFrom('blob')
    .select(['digest', 'storage_key', 'size'])
    .where('digest', '=', parameter('digest'))
  return dialect === 'postgres' ? query.forKeyShare() : query
})

const blobInsert = compileOnce<
  { digest: string; storageKey: string; size: number; createdAt: number },
  { digest: string }
>(({ kysely, parameter }) =>
  kysely
    .insertInto('blob')
    .values({
      digest: parameter('digest'),
      storage_key: parameter('storageKey'),
      size: parameter('size'),
      created_at: parameter('createdAt'),
      linked: sql.lit(0),
    })
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .returning('digest'),
)

const linkUpsert = compileOnce<{ repositoryId: number; digest: string; now: number }, object>(
  ({ kysely, parameter }) =>
    kysely
      .insertInto('blob_link')
      .values({
        repository_id: parameter('repositoryId'),
        digest: parameter('digest'),
        linked_at: parameter('now'),
        state: sql.lit('live'),
      })
      .onConflict((conflict) =>
        conflict
          .columns(['repository_id', 'digest'])
          .doUpdateSet({ linked_at: parameter('now'), state: sql.lit('live') }),
      ),
)

const linkedMark = compileOnce<{ digest: string }, object>(({ kysely, parameter }) =>
  kysely
    .updateTable('blob')
    .set({ linked: sql.lit(1) })
    .where('digest', '=', parameter('digest'))
    .where('linked', '=', sql.lit(0)),
)

const pinnedLinks = compileOnce<
  { repositoryId: number; digests: unknown },
  { digest: string; state: 'live' | 'hidden'; size: number }
>(({ kysely, dialect, parameter }) => {
  const query = kysely
    .selectFrom('blob_link')
    .innerJoin('blob', 'blob.digest', 'blob_link.digest')
    .select(['blob_link.digest', 'blob_link.state', 'blob.size'])
    .where('repository_id', '=', parameter('repositoryId'))
    .where(isAnyOf(dialect, 'blob_link.digest', parameter('digests')))
  return dialect === 'sqlite' ? query : query.orderBy('blob.digest').forKeyShare()
})

/** Returns the blob if this repository shows it. A hidden link does not count. */
export async function findLinkedBlob(
  db: Reader,
  repository: RepositoryName,
  digest: Digest,
): Promise<BlobLocation | undefined> {
  const row = await linkedBlob.first(db, { repository, digest })
  return row === undefined ? undefined : { digest, storageKey: row.storage_key, size: row.size }
}

/** Returns the blob, no matter which repository links it; this says nothing about who may see it. */
export async function findBlob(db: Reader, digest: Digest): Promise<BlobLocation | undefined> {
  const row = await blobByDigest.first(db, { digest })
  return row === undefined ? undefined : locationOf(row)
}

/** Returns the blobs, no matter which repositories link them, in no particular order. Digests without a row are left out. */
export async function listBlobLocations(db: Reader, digests: readonly Digest[]): Promise<BlobLocation[]> {
  if (digests.length === 0) return []
  const { kysely, dialect } = databaseOf(db)
  const rows = await kysely
    .selectFrom('blob')
    .select(['digest', 'storage_key', 'size'])
    .where(isAnyOf(dialect, 'digest', digests))
    .execute()
  return rows.map(locationOf)
}

/** Whether the database has any blob. */
export async function hasBlobs(db: Reader): Promise<boolean> {
  const row = await kyselyOf(db).selectFrom('blob').select('digest').limit(1).executeTakeFirst()
  return row !== undefined
}

/** Like `findBlob`, but keeps the collector from removing the row until the transaction ends. */
export async function pinBlob(tx: Transaction, digest: Digest): Promise<BlobLocation | undefined> {
  const row = await pinnedBlob.first(tx, { digest })
  return row === undefined ? undefined : locationOf(row)
}

/**
 * Inserts the blob, or returns the existing row for the content. If that row has a different key, the caller's bytes are
 * redundant.
 */
export async function insertBlob(
  tx: Transaction,
  blob: BlobLocation & { readonly createdAt: number },
): Promise<BlobLocation> {
  const { digest, storageKey, size, createdAt } = blob
  const inserted = await blobInsert.all(tx, { digest, storageKey, size, createdAt })
  if (inserted.length > 0) return { digest, storageKey, size }
  const winner = await pinBlob(tx, blob.digest)
  if (winner === undefined)
    throw new Conflict(`blob ${blob.digest} was removed by another transaction while it was inserted`)
  return winner
}

/**
 * Replaces the damaged key of a blob with a new one, for every repository that links the digest; the old key becomes a dead key.
 * Returns `false` and changes nothing if the row no longer has the damaged key. Takes an exclusive row lock directly, without a
 * shared one first, so that two replacements of one blob wait for each other instead of deadlocking.
 */
export async function replaceBlob(
  tx: Transaction,
  damaged: Pick<BlobLocation, 'storageKey'>,
  blob: BlobLocation & { readonly createdAt: number },
): Promise<boolean> {
  const { digest, storageKey, size, createdAt } = blob
  const replaced = await kyselyOf(tx)
    .updateTable('blob')
    .set({ storage_key: storageKey, size, created_at: createdAt })
    .where('digest', '=', digest)
    .where('storage_key', '=', damaged.storageKey)
    .returning('digest')
    .executeTakeFirst()
  if (replaced === undefined) return false
  await insertDeadKey(tx, { storageKey: damaged.storageKey, digest, since: createdAt })
  return true
}

/** Makes the blob visible in the repository; revives a hidden link. Throws `Conflict` if the blob no longer exists. */
export async function linkBlob(
  tx: Transaction,
  options: { readonly repositoryId: number; readonly digest: Digest; readonly now: number },
): Promise<void> {
  const { repositoryId, digest, now } = options
  await linkUpsert.all(tx, { repositoryId, digest, now })
  await linkedMark.all(tx, { digest })
}

/** Removes the link and returns whether it existed. Throws `Conflict` if a manifest of the repository uses the blob. */
export async function unlinkBlob(
  tx: Transaction,
  options: { readonly repositoryId: number; readonly digest: Digest },
): Promise<boolean> {
  const { repositoryId, digest } = options
  const kysely = kyselyOf(tx)
  if (hasRowLocks(tx)) await lockLinkAndBlob(tx, options)
  const user = await findBlobUser(tx, options)
  if (user !== undefined) throw new Conflict(`blob ${digest} is now in use by manifest ${user}`)
  const removed = await kysely
    .deleteFrom('blob_link')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .executeTakeFirst()
  if (removed.numDeletedRows === 0n) return false
  await markUnlinked(tx, [digest])
  return true
}

const hasNoLink = sql<SqlBool>`not exists (select digest from blob_link where blob_link.digest = blob.digest)`

/** Marks, for the collector, the blobs that no repository links any more. On PostgreSQL the caller has locked their rows. */
export async function markUnlinked(tx: Transaction, digests: readonly string[]): Promise<void> {
  const { kysely, dialect } = databaseOf(tx)
  await kysely
    .updateTable('blob')
    .set({ linked: 0 })
    .where(isAnyOf(dialect, 'blob.digest', digests))
    .where(hasNoLink)
    .execute()
}

/** Returns the digest of a manifest in the repository that uses the blob. */
export async function findBlobUser(
  db: Reader,
  options: { readonly repositoryId: number; readonly digest: Digest },
): Promise<Digest | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('manifest_blob')
    .innerJoin('manifest', 'manifest.id', 'manifest_blob.manifest_id')
    .select('manifest.digest')
    .where('manifest_blob.repository_id', '=', options.repositoryId)
    .where('manifest_blob.blob_digest', '=', options.digest)
    .limit(1)
    .executeTakeFirst()
  return row?.digest as Digest | undefined
}

/**
 * Keeps the blobs linked until the transaction ends, and revives hidden links. Returns the digests that the repository
 * does not have, each once, in input order.
 */
export async function pinLinkedBlobs(
  tx: Transaction,
  options: { readonly repositoryId: number; readonly digests: readonly Digest[]; readonly now: number },
): Promise<ReadonlyMap<Digest, number>> {
  const { repositoryId, digests, now } = options
  const asked = [...new Set(digests)]
  const found = new Map<Digest, number>()
  // In the lock order that all transactions follow.
  for (const [index, some] of [...chunks(asked.toSorted(), rowsPerTurn)].entries()) {
    if (index > 0) await pause(tx)
    const list = listParameter(databaseOf(tx).dialect, some)
    const rows = await pinnedLinks.all(tx, { repositoryId, digests: list })
    if (rows.some((row) => row.state === 'hidden'))
      await reviveLinks(tx, { repositoryId, digests: some, now })
    for (const { digest, size } of rows) found.set(digest as Digest, size)
  }
  return found
}

/** A blob in the list of unlinked blobs, and its position there. */
export interface UnlinkedBlob extends BlobLocation {
  readonly createdAt: number
}

/** Lists blobs that no repository links, oldest first, after `after` (exclusive). */
export async function listUnlinkedBlobs(
  db: Reader,
  options: { readonly before: number; readonly limit: number; readonly after?: UnlinkedBlob | undefined },
): Promise<UnlinkedBlob[]> {
  const { after } = options
  const rows = await kyselyOf(db)
    .selectFrom('blob')
    .select(['digest', 'storage_key', 'size', 'created_at'])
    .$if(after !== undefined, (query) =>
      query.where(sql<SqlBool>`(created_at, digest) > (${after?.createdAt}, ${after?.digest})`),
    )
    // A literal, so that the partial index serves it.
    .where('linked', '=', sql.lit(0))
    .where('created_at', '<', options.before)
    // On PostgreSQL a link that is added while another is removed can leave a stale mark; the links themselves decide.
    .where(hasNoLink)
    .orderBy('created_at')
    .orderBy('digest')
    .limit(options.limit)
    .execute()
  return rows.map((row) => ({ ...locationOf(row), createdAt: row.created_at }))
}

/** Deletes the row and makes its key a dead key. Returns `undefined` if the blob is linked, pinned or already removed. */
export async function removeUnlinkedBlob(
  tx: Transaction,
  options: { readonly digest: Digest; readonly now: number },
): Promise<BlobLocation | undefined> {
  const { digest, now } = options
  const kysely = kyselyOf(tx)
  const query = selectBlob(tx, digest)
  const row = await (hasRowLocks(tx) ? query.forUpdate().skipLocked() : query).executeTakeFirst()
  if (row === undefined) return undefined
  const link = await kysely
    .selectFrom('blob_link')
    .select('digest')
    .where('digest', '=', digest)
    .limit(1)
    .executeTakeFirst()
  if (link !== undefined) return undefined
  await kysely.deleteFrom('blob').where('digest', '=', digest).execute()
  await insertDeadKey(tx, { storageKey: row.storage_key, digest, since: now })
  return locationOf(row)
}

/**
 * Removes the rows of unlinked blobs without adding dead keys, so that their bytes become unknown. For a database that
 * is not in use.
 */
export async function removeRowsOfUnlinkedBlobs(tx: Transaction): Promise<void> {
  await kyselyOf(tx).deleteFrom('blob').where('linked', '=', sql.lit(0)).where(hasNoLink).execute()
}

/** Calls `removeUnlinkedBlob` for each digest and returns the number of removed blobs. */
export async function removeUnlinkedBlobs(
  tx: Transaction,
  { digests, now }: { readonly digests: readonly Digest[]; readonly now: number },
): Promise<number> {
  let removed = 0
  // Two rows change, and the lookups of the blob and its links take as long as two more.
  await eachInTurns(tx, { items: digests, rowsPerItem: 4 }, async (digest) => {
    if ((await removeUnlinkedBlob(tx, { digest, now })) !== undefined) removed += 1
  })
  return removed
}

function selectBlob(db: Reader, digest: Digest) {
  return kyselyOf(db)
    .selectFrom('blob')
    .select(['digest', 'storage_key', 'size'])
    .where('digest', '=', digest)
}

/**
 * Locks the link first, so that a manifest that pins it becomes visible, and then the blob, so that removals of its last
 * two links run one after the other.
 */
async function lockLinkAndBlob(
  tx: Transaction,
  options: { readonly repositoryId: number; readonly digest: Digest },
): Promise<void> {
  const kysely = kyselyOf(tx)
  await kysely
    .selectFrom('blob_link')
    .select('digest')
    .where('repository_id', '=', options.repositoryId)
    .where('digest', '=', options.digest)
    .forUpdate()
    .execute()
  await kysely
    .selectFrom('blob')
    .select('digest')
    .where('digest', '=', options.digest)
    .forNoKeyUpdate()
    .execute()
}

async function reviveLinks(
  tx: Transaction,
  options: { readonly repositoryId: number; readonly digests: readonly Digest[]; readonly now: number },
): Promise<void> {
  const { kysely, dialect } = databaseOf(tx)
  await kysely
    .updateTable('blob_link')
    .set({ state: 'live', linked_at: options.now })
    .where('repository_id', '=', options.repositoryId)
    .where('state', '=', 'hidden')
    .where(isAnyOf(dialect, 'digest', options.digests))
    .execute()
}

function locationOf(row: LocationRow): BlobLocation {
  return { digest: row.digest as Digest, storageKey: row.storage_key, size: row.size }
}
