/** The lease that a running backup holds: as long as it runs, no bytes of the store are deleted. */
import type { Reader, Transaction } from '../handles.ts'
import {
  acquireLease,
  endLease,
  findLease,
  releaseLease,
  renewLease,
  type LeaseMark,
} from '../system/leases.ts'

/** Its row in the table of leases, which has rows of jobs too. */
export const backupLease = 'backup'

export interface HeldBackup extends LeaseMark {
  readonly holder: string
}

/** The last backup that took the lease, whether it still runs or not; `undefined` when the lease is free. */
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
 * Takes the lease when it is free, has run out or still is as `abandoned` says. `undefined` when another backup has it.
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

/** `false` when the lease ran out or went to another: bytes may have been deleted meanwhile. */
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

/** Takes the lease away from a backup that does not renew it; `false` when it did meanwhile. */
export function endBackupHold(tx: Transaction, mark: LeaseMark): Promise<boolean> {
  return endLease(tx, backupLease, mark)
}
