/**
 * Deletes a repository with all it holds, in steps of bounded size, so that no writer waits long. Rows of blobs lose
 * their links only; the collector removes them and their bytes when no other repository has them.
 */
import type { RepositoryName } from '../oci/repository-name.ts'
import { insertDeadKey } from './dead-keys.ts'
import { Conflict } from './errors.ts'
import type { Transaction } from './handles.ts'
import type { Metadata } from './metadata.ts'
import { findRepository } from './repositories.ts'
import { databaseOf, hasRowLocks, isAnyOf, kyselyOf } from './sql/database.ts'

interface Step {
  readonly repositoryId: number
  readonly limit: number
  readonly now: number
}

const rowsPerStep = 500
// Pushes that go on while a repository is deleted make it anew; this many times they are deleted again.
const maxRefusals = 20

/**
 * Returns whether there was such a repository. What is pushed meanwhile goes too, or, after the end, makes a new one.
 * Until the end the repository shows what is left of it. Throws `Conflict` when pushes never pause.
 */
export async function deleteRepository(
  metadata: Metadata,
  options: {
    readonly name: RepositoryName
    readonly now: number
    readonly rowsPerStep?: number
    /** In the transaction that takes the repository itself away. */
    readonly onGone?: (tx: Transaction) => Promise<void>
  },
): Promise<boolean> {
  const { name, now, rowsPerStep: limit = rowsPerStep } = options
  let found = false
  for (let refusals = 0; refusals < maxRefusals;) {
    try {
      const outcome = await metadata.transact(async (tx) => {
        const step = await deleteStep(tx, { name, limit, now })
        if (step === 'done') await options.onGone?.(tx)
        return step
      })
      if (outcome === 'gone') return found
      found = true
      if (outcome === 'done') return true
    } catch (error) {
      if (!(error instanceof Conflict)) throw error
      refusals += 1
    }
  }
  throw new Conflict(`repository ${name} is pushed to while it is deleted`)
}

async function deleteStep(
  tx: Transaction,
  options: { name: RepositoryName; limit: number; now: number },
): Promise<'gone' | 'more' | 'done'> {
  const { name, limit, now } = options
  const repository = await findRepository(tx, name)
  if (repository === undefined) return 'gone'
  const step = { repositoryId: repository.id, limit, now }
  if (await deleteUploads(tx, name, step)) return 'more'
  if (await deleteTags(tx, step)) return 'more'
  if (await deleteManifests(tx, step)) return 'more'
  if (await deleteLinks(tx, step)) return 'more'
  // Refused by foreign keys when something was pushed in between.
  await kyselyOf(tx).deleteFrom('repository').where('id', '=', repository.id).execute()
  return 'done'
}

/** Each of these returns whether there was something. */
async function deleteUploads(tx: Transaction, name: RepositoryName, step: Step): Promise<boolean> {
  const kysely = kyselyOf(tx)
  const uploads = await kysely
    .deleteFrom('upload')
    .where('id', 'in', (eb) =>
      eb.selectFrom('upload').select('id').where('repository', '=', name).limit(step.limit),
    )
    .returning('storage_key')
    .execute()
  for (const { storage_key: storageKey } of uploads) {
    await insertDeadKey(tx, { storageKey, digest: undefined, since: step.now })
  }
  return uploads.length > 0
}

async function deleteTags(tx: Transaction, { repositoryId, limit }: Step): Promise<boolean> {
  const result = await kyselyOf(tx)
    .deleteFrom('tag')
    .where('repository_id', '=', repositoryId)
    .where('name', 'in', (eb) =>
      eb.selectFrom('tag').select('name').where('repository_id', '=', repositoryId).limit(limit),
    )
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

async function deleteManifests(tx: Transaction, step: Step): Promise<boolean> {
  const { repositoryId } = step
  const { kysely, dialect } = databaseOf(tx)
  const digests = await lockDigests(tx, 'manifest', step)
  if (digests.length === 0) return false
  const ofThese = isAnyOf(dialect, 'manifest.digest', digests)
  await kysely
    .deleteFrom('property')
    .where('ref_type', '=', 'manifest')
    .where('ref_id', 'in', (eb) =>
      eb.selectFrom('manifest').select('id').where('repository_id', '=', repositoryId).where(ofThese),
    )
    .execute()
  await kysely.deleteFrom('manifest').where('repository_id', '=', repositoryId).where(ofThese).execute()
  await kysely
    .deleteFrom('manifest_content')
    .where(isAnyOf(dialect, 'manifest_content.digest', digests))
    .where((eb) => {
      const other = eb
        .selectFrom('manifest')
        .select('id')
        .whereRef('manifest.digest', '=', 'manifest_content.digest')
      return eb.not(eb.exists(other))
    })
    .execute()
  return true
}

/** Locks in the order of every other writer: links, then blobs, both by digest. */
async function deleteLinks(tx: Transaction, step: Step): Promise<boolean> {
  const { repositoryId } = step
  const { kysely, dialect } = databaseOf(tx)
  const digests = await lockDigests(tx, 'blob_link', step)
  if (digests.length === 0) return false
  const ofThese = isAnyOf(dialect, 'blob.digest', digests)
  if (hasRowLocks(tx)) {
    await kysely
      .selectFrom('blob')
      .select('digest')
      .where(ofThese)
      .orderBy('digest')
      .forNoKeyUpdate()
      .execute()
  }
  await kysely
    .deleteFrom('blob_link')
    .where('repository_id', '=', repositoryId)
    .where(isAnyOf(dialect, 'blob_link.digest', digests))
    .execute()
  await kysely
    .updateTable('blob')
    .set({ linked: 0 })
    .where(ofThese)
    .where((eb) => {
      const other = eb
        .selectFrom('blob_link')
        .select('digest')
        .whereRef('blob_link.digest', '=', 'blob.digest')
      return eb.not(eb.exists(other))
    })
    .execute()
  return true
}

/** Of the rows to delete next, locked in this order. */
async function lockDigests(
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
