/** Deletions pause while a backup runs: its snapshot may name the bytes. */
import { backupLease, endBackupHold, findBackupHold } from '../metadata/backup/backup-hold.ts'
import type { LeaseWatch } from '../metadata/system/lease-watch.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Logger } from '../telemetry/logger.ts'
import { holdTtlMs } from './backup/deletion-hold.ts'

export interface BackupPauseDeps {
  readonly metadata: Metadata
  readonly log: Pick<Logger, 'warn'>
  /** Kept from run to run; without it a lease from the future holds until its end. */
  readonly backupWatch?: LeaseWatch | undefined
}

/**
 * Whether a backup runs. A job that deletes bytes asks *after* it has read which, and deletes only on `false`: then the
 * lease came after what it read, and the backup's snapshot after the lease, so the snapshot names none of these bytes.
 * The lease of a backup that was killed or stopped is ended first, so that the backup cannot go on with it afterwards.
 */
export async function isBackupRunning(deps: BackupPauseDeps, now: number): Promise<boolean> {
  const { metadata, log, backupWatch } = deps
  const held = await findBackupHold(metadata.reader)
  if (held === undefined) {
    backupWatch?.forget(backupLease)
    return false
  }
  const isFirstLook = backupWatch?.note(backupLease, held) ?? false
  const leftMs = held.expiresAt - now
  if (leftMs > 0 && backupWatch?.findAbandoned(backupLease) === undefined) {
    if (isFirstLook && leftMs > holdTtlMs) {
      log.warn(
        { holder: held.holder, leftMs },
        'the lease of a backup is from the future: check the clock; nothing is deleted until it has not been renewed for a minute',
      )
    }
    return true
  }
  return !(await metadata.transact((tx) => endBackupHold(tx, held)))
}
