/** The lease of a running backup: while it is held, no bytes of the store are deleted. */
import type { Reader, Transaction } from '../handles.ts'
import {
  acquireLease,
  endLease,
  findLease,
  releaseLease,
  renewLease,
  type LeaseMark,
} from '../system/leases.ts'

/** The name of its row in the table of leases, which also has rows for jobs. */
export const backupLease = 'backup'

export interface HeldBackup extends LeaseMark {
  readonly holder: string
}

/** Returns the backup that took the lease last, whether or not it still runs; `undefined` if the lease is free. */
export async function findBackupHold(db: Reader): Promise<HeldBackup | undefined> {
  const lease = await findLease(db, backupLease)
  return lease === undefined || lease.holder === '' ? undefined : lease
}

export interface BackupClaim {
  readonly holder: string
  readonly now: number
  readonly ttlMs: number
}

/**
 * Takes the lease if it is free, has expired or still has the mark `abandoned`. Returns `undefined` if another backup
 * has it.
 */
export async function takeBackupHold(
  tx: Transaction,
  claim: BackupClaim,
  abandoned?: LeaseMark,
): Promise<HeldBackup | undefined> {
  const { holder, now, ttlMs } = claim
  const taken = await acquireLease(tx, { name: backupLease, ...claim, abandoned })
  return taken && { holder, generation: taken.generation, expiresAt: now + ttlMs }
}

/** Renews the lease. Returns `false` if it expired or another backup took it: bytes may have been deleted since. */
export function renewBackupHold(
  tx: Transaction,
  { holder, generation }: HeldBackup,
  times: Pick<BackupClaim, 'now' | 'ttlMs'>,
): Promise<boolean> {
  return renewLease(tx, { name: backupLease, holder, generation, ...times, isStrict: true })
}

export function releaseBackupHold(tx: Transaction, { holder, generation }: HeldBackup): Promise<void> {
  return releaseLease(tx, { name: backupLease, holder, generation })
}

/** Takes the lease away from a backup that does not renew it; `false` if it has been renewed since. */
export function endBackupHold(tx: Transaction, mark: LeaseMark): Promise<boolean> {
  return endLease(tx, backupLease, mark)
}
