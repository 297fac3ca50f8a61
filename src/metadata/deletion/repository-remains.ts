/**
 * What is left of a repository that was deleted: rows that nobody sees, removed in steps that are bounded by rows and
 * by bytes, each a transaction of its own. Rows of blobs lose their links only; the collector removes them and their
 * bytes when no other repository has them.
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
  /** Rows that the step may remove. */
  readonly limit: number
}

// On PostgreSQL a push that began before the end may still bring rows; so many times a step is tried again.
const maxRefusals = 20
const manifestsPerStep = 50
/** The pages of large values are freed one by one. */
const bytesPerStep = 4 * 1024 * 1024

/**
 * Safe to run twice at once and to break off anywhere. Resolves when the last row is gone, not yet durably. Throws
 * `Conflict` when a step is refused again and again, and the reason of `signal`.
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
  throw new Conflict(`the remains of repository ${repositoryId} are in use; the next run removes them`)
}

/** Ids of repositories that were deleted and have rows left, after the id `after`, of one owner where it is given. */
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
    // The sum of nothing keeps the index of names, where remains are few: an owner may have 100,000 repositories.
    .$if(ownerId !== undefined, (query) => query.where(sql`owner_id + 0`, '=', ownerId ?? 0))
    .orderBy('name')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/** Greater than every name, so that no list of names reaches it, and never used twice. */
export function nameOfRemains(repositoryId: number): string {
  return `${endOfNames}${repositoryId}`
}

/** Returns whether nothing is left. */
async function removeSome(tx: Transaction, { repositoryId, limit }: Step): Promise<boolean> {
  let rest = limit
  for (const remove of [removeTags, removeDetails, removeManifests]) {
    rest -= await remove(tx, { repositoryId, limit: rest })
    if (rest <= 0) return false
  }
  // Pushes lock links before manifests: what has locked manifests locks no links.
  if (rest < limit) return false
  if ((await removeLinks(tx, { repositoryId, limit })) >= limit) return false
  // Refused by foreign keys when something was pushed in between.
  await kyselyOf(tx).deleteFrom('repository').where('id', '=', repositoryId).execute()
  return true
}

/** Each of these returns how many rows it removed. */
function removeTags(tx: Transaction, { repositoryId, limit }: Step): Promise<number> {
  const where = sql<SqlBool>`repository_id = ${repositoryId}`
  return deleteSome(tx, 'tag', { key: ['repository_id', 'name'], where, limit })
}

/** What hangs on the manifests that go next. */
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

/** Those whose details are gone, with their bytes where no other repository has them. */
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
  // Bytes in plenty are work for a whole step.
  return digests.length < next.length ? limit : 2 * digests.length
}

/** One at least. */
function cutByBytes(manifests: readonly { readonly digest: string; readonly size: number }[]): string[] {
  let bytes = 0
  const end = manifests.findIndex(({ size }, index) => (bytes += size) > bytesPerStep && index > 0)
  return manifests.slice(0, end === -1 ? undefined : end).map(({ digest }) => digest)
}

/** Locks in the order of every other writer: links, then blobs, both by digest. */
async function removeLinks(tx: Transaction, { repositoryId, limit }: Step): Promise<number> {
  const { kysely, dialect } = databaseOf(tx)
  // Of each a link and a blob change.
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

/** Digests of the rows to remove next, locked in this order. */
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
