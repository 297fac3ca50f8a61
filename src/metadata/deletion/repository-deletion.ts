/**
 * Deletes a repository: one small transaction takes its name away, so that from then on nobody sees any of it; then its
 * rows go in steps of bounded size. A process that ends in between leaves remains, which a job removes.
 */
import type { RepositoryName } from '../../oci/repository-name.ts'
import { insertDeadKey } from '../content/dead-keys.ts'
import type { Transaction } from '../handles.ts'
import type { Metadata } from '../metadata.ts'
import { findRepository } from '../repositories/repositories.ts'
import { nameOfRemains, removeRemains } from './repository-remains.ts'
import { kyselyOf } from '../sql/database.ts'
import { eachInTurns, rowsPerTurn } from '../sql/pause.ts'

export interface RepositoryDeletion {
  readonly name: RepositoryName
  readonly now: number
  /** Leaves a repository of another owner alone, one that was made anew under the same name for instance. */
  readonly ownerId?: number | undefined
  readonly rowsPerStep?: number | undefined
  /** Runs in the transaction after which nobody sees the repository. */
  readonly onGone?: ((tx: Transaction) => Promise<void>) | undefined
}

/**
 * Returns whether there was such a repository. What is pushed meanwhile makes a new one of that name. Resolves when all
 * rows are gone; call `Metadata.flush` before acknowledging. Throws `Conflict` when a step is refused again and again.
 */
export async function deleteRepository(metadata: Metadata, deletion: RepositoryDeletion): Promise<boolean> {
  const { rowsPerStep = rowsPerTurn } = deletion
  for (;;) {
    const hidden = await metadata.transact((tx) => hideRepository(tx, { ...deletion, rowsPerStep }), {
      durable: false,
    })
    if (hidden === 'absent') return false
    if (hidden === 'more') continue
    await removeRemains(metadata, { repositoryId: hidden.repositoryId, rowsPerStep })
    return true
  }
}

/** Upload sessions name the repository by its name: they end before it loses the name. */
async function hideRepository(
  tx: Transaction,
  deletion: RepositoryDeletion & { readonly rowsPerStep: number },
): Promise<'absent' | 'more' | { readonly repositoryId: number }> {
  const { name, onGone, rowsPerStep } = deletion
  const repository = await findRepository(tx, name)
  if (repository === undefined || repository.ownerId !== (deletion.ownerId ?? repository.ownerId))
    return 'absent'
  if ((await deleteUploads(tx, deletion)) === rowsPerStep) return 'more'
  await kyselyOf(tx)
    .updateTable('repository')
    .set({ name: nameOfRemains(repository.id), visibility: 'private' })
    .where('id', '=', repository.id)
    .execute()
  await onGone?.(tx)
  return { repositoryId: repository.id }
}

async function deleteUploads(
  tx: Transaction,
  { name, now, rowsPerStep }: { name: RepositoryName; now: number; rowsPerStep: number },
): Promise<number> {
  const uploads = await kyselyOf(tx)
    .deleteFrom('upload')
    .where('id', 'in', (eb) =>
      eb.selectFrom('upload').select('id').where('repository', '=', name).limit(rowsPerStep),
    )
    .returning('storage_key')
    .execute()
  await eachInTurns(tx, { items: uploads, rowsPerItem: 1 }, ({ storage_key: storageKey }) =>
    insertDeadKey(tx, { storageKey, digest: undefined, since: now }),
  )
  return uploads.length
}
