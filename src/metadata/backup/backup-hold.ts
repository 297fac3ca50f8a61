/** The lease that a running backup holds: as long as it runs, no bytes of the store are deleted. */
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

const backupLease = 'backup'

export interface HeldBackup {
  readonly holder: string
  readonly generation: number
  readonly expiresAt: number
}

/** The last backup that took the lease, whether it still runs or not; `undefined` when the lease is free. */
export async function findBackupHold(db: Reader): Promise<HeldBackup | undefined> {
  const row = await kyselyOf(db)
    .selectFrom('lease')
    .select(['holder', 'generation', 'expires_at'])
    .where('name', '=', backupLease)
    .executeTakeFirst()
  if (row === undefined || row.holder === '') return undefined
  return { holder: row.holder, generation: row.generation, expiresAt: row.expires_at }
}

/**
 * Whether a backup runs. A job that deletes bytes asks *after* it has read which, and deletes only on `false`: then the
 * lease came after what it read, and the backup's snapshot after the lease, so the snapshot names none of these bytes.
 */
export async function isBackupRunning(db: Reader, now: number): Promise<boolean> {
  const held = await findBackupHold(db)
  return held !== undefined && held.expiresAt > now
}

export interface BackupClaim {
  readonly holder: string
  readonly now: number
  readonly ttlMs: number
}

/**
 * Takes the lease when it is free, has run out or still is as `abandoned` says. `undefined` when another backup has it.
 */
export async function takeBackupHold(
  tx: Transaction,
  { holder, now, ttlMs }: BackupClaim,
  abandoned?: HeldBackup,
): Promise<HeldBackup | undefined> {
  const expiresAt = now + ttlMs
  const row = await kyselyOf(tx)
    .insertInto('lease')
    .values({ name: backupLease, holder, generation: 1, expires_at: expiresAt })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet((eb) => ({
          holder,
          generation: eb(eb.ref('lease.generation'), '+', 1),
          expires_at: expiresAt,
        }))
        .where((eb) =>
          eb.or([
            eb('lease.expires_at', '<=', now),
            eb('lease.holder', '=', ''),
            eb.and([
              eb('lease.generation', '=', abandoned?.generation ?? 0),
              eb('lease.expires_at', '=', abandoned?.expiresAt ?? 0),
            ]),
          ]),
        ),
    )
    .returning('generation')
    .executeTakeFirst()
  return row === undefined ? undefined : { holder, generation: row.generation, expiresAt }
}

/** `false` when the lease ran out or went to another: bytes may have been deleted meanwhile. */
export async function renewBackupHold(
  tx: Transaction,
  held: HeldBackup,
  { now, ttlMs }: Pick<BackupClaim, 'now' | 'ttlMs'>,
): Promise<boolean> {
  const result = await kyselyOf(tx)
    .updateTable('lease')
    .set({ expires_at: now + ttlMs })
    .where('name', '=', backupLease)
    .where('generation', '=', held.generation)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** The row stays, so that generations never repeat. */
export async function releaseBackupHold(tx: Transaction, held: HeldBackup): Promise<void> {
  await kyselyOf(tx)
    .updateTable('lease')
    .set({ holder: '', expires_at: 0 })
    .where('name', '=', backupLease)
    .where('generation', '=', held.generation)
    .execute()
}
