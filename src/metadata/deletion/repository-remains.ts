/**
 * Removes the remains of a deleted repository: hidden rows, in steps bounded by rows and bytes, each a separate
 * transaction. Blobs lose only their links; the collector removes them and their bytes if no other repository has them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import type { SqlBool } from 'kysely'
import { markUnlinked } from '../content/blobs.ts'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import { removeUnusedContent } from '../content/manifest-deletion.ts'
import { removeManifestDetails } from '../content/manifest-details.ts'
import type { Metadata } from '../metadata.ts'
import { databaseOf, hasRowLocks, isAnyOf, kyselyOf } from '../sql/database.ts'
import { deleteSome } from '../sql/delete-rows.ts'
import { rowsPerTurn } from '../sql/pause.ts'
import { endOfNames } from '../repositories/visible-repositories.ts'

export interface Remains {
  readonly repositoryId: number
  readonly rowsPerStep?: number | undefined
  readonly signal?: AbortSignal | undefined
}

interface Step {
  readonly repositoryId: number
  /** The most rows that the step may remove. */
  readonly limit: number
}

// A step is retried this many times: on PostgreSQL a push that began before the deletion may still add rows.
const maxRefusals = 20
const manifestsPerStep = 50
/** The most bytes of manifests in a step: the pages of large values are freed one by one. */
const bytesPerStep = 4 * 1024 * 1024

/**
 * Removes all remains. It is safe to run it twice at once, and to stop it anywhere. Resolves when the last row is
 * removed, not yet durably. Throws `Conflict` if a step is refused repeatedly, and the reason of `signal`.
 */
export async function removeRemains(metadata: Metadata, remains: Remains): Promise<void> {
  const { repositoryId, rowsPerStep: limit = rowsPerTurn, signal } = remains
  for (let refusals = 0; refusals < maxRefusals;) {
    signal?.throwIfAborted()
    try {
      const isDone = await metadata.transact((tx) => removeSome(tx, { repositoryId, limit }), {
        durable: false,
      })
      if (isDone) return
    } catch (error) {
      if (!(error instanceof Conflict)) throw error
      refusals += 1
    }
    await nextTurn()
  }
  throw new Conflict(
    `the rows of deleted repository ${repositoryId} are in use; the next run of the job removes them`,
  )
}

/** Lists the ids of deleted repositories that have rows left, after the id `after`; only of one owner if `ownerId` is set. */
export async function listRemains(
  db: Reader,
  page: {
    readonly limit: number
    readonly after?: number | undefined
    readonly ownerId?: number | undefined
  },
): Promise<number[]> {
  const { limit, after, ownerId } = page
  const rows = await kyselyOf(db)
    .selectFrom('repository')
    .select('id')
    .where('name', '>', after === undefined ? endOfNames : nameOfRemains(after))
    // Adding 0 keeps SQLite on the index of names, which finds the few remains: an owner may have 100,000 repositories.
    .$if(ownerId !== undefined, (query) => query.where(sql`owner_id + 0`, '=', ownerId ?? 0))
    .orderBy('name')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Returns a name that is greater than every valid name, so that no list reaches it, and that is never reused. */
export function nameOfRemains(repositoryId: number): string {
  return `${endOfNames}${repositoryId}`
}

/** Removes up to `limit` rows and returns whether nothing is left. */
async function removeSome(tx: Transaction, { repositoryId, limit }: Step): Promise<boolean> {
  let rest = limit
  for (const remove of [removeTags, removeDetails, removeManifests]) {
    rest -= await remove(tx, { repositoryId, limit: rest })
    if (rest <= 0) return false
  }
  // Pushes lock links before manifests, so a step that has locked manifests must not lock links.
  if (rest < limit) return false
  if ((await removeLinks(tx, { repositoryId, limit })) >= limit) return false
  // Foreign keys refuse this if a push has added rows in the meantime.
  await kyselyOf(tx).deleteFrom('repository').where('id', '=', repositoryId).execute()
  return true
}

/** Like the functions below, returns the number of removed rows. */
function removeTags(tx: Transaction, { repositoryId, limit }: Step): Promise<number> {
  const where = sql<SqlBool>`repository_id = ${repositoryId}`
  return deleteSome(tx, 'tag', { key: ['repository_id', 'name'], where, limit })
}

/** Removes the details of the manifests that are removed next. */
async function removeDetails(tx: Transaction, { repositoryId, limit }: Step): Promise<number> {
  await lockNext(tx, 'manifest', { repositoryId, limit: manifestsPerStep })
  const next = kyselyOf(tx)
    .selectFrom('manifest as next')
    .select('next.id')
    .where('next.repository_id', '=', repositoryId)
    .orderBy('next.digest')
    .limit(manifestsPerStep)
  return removeManifestDetails(tx, { of: next.$asScalar(), limit })
}

/** Removes manifests whose details have been deleted, with their bytes if no other repository has them. */
async function removeManifests(tx: Transaction, { repositoryId, limit }: Step): Promise<number> {
  const { kysely, dialect } = databaseOf(tx)
  const next = await kysely
    .selectFrom('manifest')
    .select(['digest', 'size'])
    .where('repository_id', '=', repositoryId)
    .orderBy('digest')
    .limit(Math.min(limit, manifestsPerStep))
    .execute()
  const digests = cutByBytes(next)
  if (digests.length === 0) return 0
  await kysely
    .deleteFrom('manifest')
    .where('repository_id', '=', repositoryId)
    .where(isAnyOf(dialect, 'manifest.digest', digests))
    .execute()
  await removeUnusedContent(tx, digests)
  // Many bytes count as a whole step.
  return digests.length < next.length ? limit : 2 * digests.length
}

/** Returns the first digests up to the byte limit, at least one. */
function cutByBytes(manifests: readonly { readonly digest: string; readonly size: number }[]): string[] {
  let bytes = 0
  const end = manifests.findIndex(({ size }, index) => (bytes += size) > bytesPerStep && index > 0)
  return manifests.slice(0, end === -1 ? undefined : end).map(({ digest }) => digest)
}

/** Removes links. Locks in the order of every other writer: links before blobs, both by digest. */
async function removeLinks(tx: Transaction, { repositoryId, limit }: Step): Promise<number> {
  const { kysely, dialect } = databaseOf(tx)
  // For each digest, a link and a blob change.
  const digests = await lockNext(tx, 'blob_link', { repositoryId, limit: Math.ceil(limit / 2) })
  if (digests.length === 0) return 0
  if (hasRowLocks(tx)) {
    await kysely
      .selectFrom('blob')
      .select('digest')
      .where(isAnyOf(dialect, 'blob.digest', digests))
      .orderBy('digest')
      .forNoKeyUpdate()
      .execute()
  }
  await kysely
    .deleteFrom('blob_link')
    .where('repository_id', '=', repositoryId)
    .where(isAnyOf(dialect, 'blob_link.digest', digests))
    .execute()
  await markUnlinked(tx, digests)
  return 2 * digests.length
}

/** Returns the digests of the next rows to remove, and locks the rows in this order. */
async function lockNext(
  tx: Transaction,
  table: 'manifest' | 'blob_link',
  { repositoryId, limit }: Step,
): Promise<string[]> {
  const query = kyselyOf(tx)
    .selectFrom(table)
    .select('digest')
    .where('repository_id', '=', repositoryId)
    .orderBy('digest')
    .limit(limit)
  const rows = await (hasRowLocks(tx) ? query.forUpdate() : query).execute()
  return rows.map((row) => row.digest)
}
