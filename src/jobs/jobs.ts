/** The list of background jobs. */
import { forgetOldAudit, type AuditRetention } from '../audit/forget-old.ts'
import { forgetEnded } from '../identity/forget-ended.ts'
import type { Clock } from '../lib/clock.ts'
import { holdTtlMs } from '../lifecycle/backup/deletion-hold.ts'
import { collectBlobs } from '../lifecycle/collect-blobs.ts'
import { expireUploads } from '../lifecycle/expire-uploads.ts'
import { removeDeadKeys } from '../lifecycle/remove-dead-keys.ts'
import { removeAllRemains } from '../lifecycle/remove-remains.ts'
import { sweepStore, type SweepDeps } from '../lifecycle/sweep-store.ts'
import { LeaseWatch } from '../metadata/system/lease-watch.ts'
import type { UploadLives } from '../metadata/content/upload-ceiling.ts'
import type { Job } from './job.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

export const removeDeadKeysJob = 'remove-dead-keys'

export interface JobOptions {
  /** How long an upload session lives after its last use. */
  readonly uploadLives: UploadLives
  readonly auditRetention: AuditRetention
  /** A browser session ends after this time without a request. */
  readonly sessionIdleMs: number
}

/** A blob is linked in the transaction that creates it; the hour allows for clocks that jump. */
const unlinkedGraceMs = hourMs
/** At most as long as an unused upload session lives, because its row names its key. */
const sweepGraceMs = 24 * hourMs

export interface JobDeps extends SweepDeps {
  /** A clock that never jumps. */
  readonly monotonic: Clock
}

export function createJobs(deps: JobDeps, options: JobOptions): Job[] {
  const backupWatch = new LeaseWatch({ monotonic: deps.monotonic, ttlMs: holdTtlMs })
  return [
    {
      name: 'expire-uploads',
      everyMs: minuteMs,
      run: (signal) => expireUploads(deps, options.uploadLives, signal),
    },
    {
      name: 'collect-blobs',
      everyMs: 5 * minuteMs,
      run: (signal) => collectBlobs(deps, unlinkedGraceMs, signal),
    },
    { name: 'remove-remains', everyMs: 5 * minuteMs, run: (signal) => removeAllRemains(deps, signal) },
    {
      name: removeDeadKeysJob,
      everyMs: minuteMs,
      run: (signal) => removeDeadKeys({ ...deps, backupWatch }, signal),
    },
    { name: 'sweep-store', everyMs: 6 * hourMs, run: (signal) => sweepStore(deps, sweepGraceMs, signal) },
    {
      name: 'forget-ended-credentials',
      everyMs: hourMs,
      run: (signal) => forgetEnded(deps, options, signal),
    },
    {
      name: 'forget-old-audit',
      everyMs: hourMs,
      run: (signal) => forgetOldAudit(deps, options.auditRetention, signal),
    },
  ]
}
