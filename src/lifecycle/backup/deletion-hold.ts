/**
 * Keeps bytes from being deleted while a backup copies them. The backup takes the lease first and the snapshot second; a deletion
 * job checks the lease after it has listed the dead keys. So a deletion in progress when the lease is taken only affects keys
 * that were dead before the snapshot, which does not name them, and no new deletion starts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../lib/clock.ts'
import {
  findBackupHold,
  releaseBackupHold,
  renewBackupHold,
  takeBackupHold,
  type HeldBackup,
} from '../../metadata/backup/backup-hold.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import { BackupRefused } from './errors.ts'

/** The longest time that a killed backup blocks deletions. */
export const holdTtlMs = 60_000

export interface HoldDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  /** The name of this process: `<host>/<process id>/<random>`. */
  readonly holder: string
  /** Whether the named process has definitely ended. */
  readonly hasEnded: (holder: string) => boolean
  /** Default: a timer. */
  readonly sleep?: (ms: number) => Promise<unknown>
}

export interface DeletionHold extends AsyncDisposable {
  /** Aborted when the hold is lost: bytes that the snapshot names may have been deleted. */
  readonly signal: AbortSignal
  /** Throws if the hold was ever lost. */
  confirm(): Promise<void>
}

const watchStepMs = 1_000

/** Takes the hold; waits until the lease of a killed backup has expired. Throws `BackupRefused` while another backup runs. */
export async function holdDeletions(deps: HoldDeps): Promise<DeletionHold> {
  return new RunningHold(deps, await takeHold(deps))
}

async function takeHold(deps: HoldDeps): Promise<HeldBackup> {
  const { metadata, clock, holder } = deps
  const claim = () => ({ holder, now: clock.now(), ttlMs: holdTtlMs })
  let abandoned: HeldBackup | undefined
  for (;;) {
    const taken = await metadata.transact((tx) => takeBackupHold(tx, claim(), abandoned))
    if (taken !== undefined) return taken
    const other = await findBackupHold(metadata.reader)
    if (other !== undefined && !deps.hasEnded(other.holder)) await watch(deps, other)
    abandoned = other
  }
}

/**
 * Returns when the holder has not renewed its lease for a full lease time, measured here and not by the holder's clock. Throws as
 * soon as it renews.
 */
async function watch(deps: HoldDeps, seen: HeldBackup): Promise<void> {
  const wait = deps.sleep ?? sleep
  for (let waitedMs = 0; waitedMs <= holdTtlMs; waitedMs += watchStepMs) {
    await wait(watchStepMs)
    const now = await findBackupHold(deps.metadata.reader)
    if (now === undefined) return
    if (now.generation === seen.generation && now.expiresAt === seen.expiresAt) continue
    throw new BackupRefused(
      `another backup of this registry is running (${now.holder}); wait until it ends, then run this backup again`,
    )
  }
}

class RunningHold implements DeletionHold {
  readonly #deps: HoldDeps
  readonly #held: HeldBackup
  readonly #lost = new AbortController()
  readonly #timer: NodeJS.Timeout
  #renewing: Promise<void> | undefined

  constructor(deps: HoldDeps, held: HeldBackup) {
    this.#deps = deps
    this.#held = held
    this.#timer = setInterval(() => {
      this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined))
    }, holdTtlMs / 4)
    this.#timer.unref()
  }

  get signal(): AbortSignal {
    return this.#lost.signal
  }

  async confirm(): Promise<void> {
    await this.#renewing
    await this.#renew()
    this.signal.throwIfAborted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#renewing
    await this.#deps.metadata.transact((tx) => releaseBackupHold(tx, this.#held))
  }

  async #renew(): Promise<void> {
    const { metadata, clock } = this.#deps
    try {
      const kept = await metadata.transact((tx) =>
        renewBackupHold(tx, this.#held, { now: clock.now(), ttlMs: holdTtlMs }),
      )
      if (kept) return
      this.#lost.abort(
        new BackupRefused(
          'the backup could no longer block deletions, because it was stopped for longer than a minute or another backup took over; blobs that it had not copied yet may be deleted: run the backup again',
        ),
      )
    } catch (error) {
      this.#lost.abort(error)
    }
  }
}
