/**
 * Deletes a repository. One small transaction removes its name, so that from then on no request sees any of it; then its rows are
 * removed in steps of bounded size. If the process ends before all are removed, a job removes the remains.
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
  /** If set, a repository of another owner stays, for instance one that was created again under the same name. */
  readonly ownerId?: number | undefined
  readonly rowsPerStep?: number | undefined
  /** Runs in the transaction that hides the repository. */
  readonly onGone?: ((tx: Transaction) => Promise<void>) | undefined
}

/**
 * Deletes the repository and returns whether it existed. A push in the meantime creates a new repository of that name.
 * Resolves when all rows are removed; call `Metadata.flush` before acknowledging. Throws `Conflict` if a step is refused
 * repeatedly.
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

/** Hides the repository. Upload sessions refer to it by name, so they end before it loses the name. */
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
