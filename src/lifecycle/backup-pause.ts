/** Pauses deletions while a backup runs, because its snapshot may name the bytes. */
import { backupLease, endBackupHold, findBackupHold } from '../metadata/backup/backup-hold.ts'
import type { LeaseWatch } from '../metadata/system/lease-watch.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Logger } from '../telemetry/logger.ts'
import { holdTtlMs } from './backup/deletion-hold.ts'

export interface BackupPauseDeps {
  readonly metadata: Metadata
  readonly log: Pick<Logger, 'warn'>
  /** Kept between runs: without it, a lease written by a clock that was ahead would hold until it expires. */
  readonly backupWatch?: LeaseWatch | undefined
}

/**
 * Returns whether a backup is running. A job that deletes bytes asks *after* it has listed them, and deletes only on `false`: a
 * backup that starts later takes its lease after that list, and its snapshot after the lease, so the snapshot names none of these
 * bytes. The lease of a killed or stopped backup is ended first, so that this backup cannot continue afterwards.
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
        'the lease of a backup is from the future: check the clock; deletions resume once the lease has not been renewed for a minute',
      )
    }
    return true
  }
  return !(await metadata.transact((tx) => endBackupHold(tx, held)))
}
