/**
 * Keeps bytes from being deleted while a backup copies them. The backup takes the lease and only then the snapshot; the
 * job that deletes asks for the lease after it has read what is dead. So a deletion that is under way when the lease is
 * taken concerns keys that were dead before the snapshot, which therefore does not name them, and no other begins.
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

/** A killed backup holds deletions no longer than this. */
export const holdTtlMs = 60_000

export interface HoldDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  /** Names this process, as `<host>/<process id>/<random>`. */
  readonly holder: string
  /** Whether the process that such a name means has ended for certain. */
  readonly hasEnded: (holder: string) => boolean
  /** Default: a timer. */
  readonly sleep?: (ms: number) => Promise<unknown>
}

export interface DeletionHold extends AsyncDisposable {
  /** Aborted when the hold was lost: bytes that the snapshot names may be gone. */
  readonly signal: AbortSignal
  /** Throws when the hold was lost at any time until now. */
  confirm(): Promise<void>
}

const watchStepMs = 1_000

/** Waits for a backup that was killed. Throws `BackupRefused` while another one runs. */
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
 * Returns when the holder did not renew its lease for as long as the lease lasts, whatever its clock says. Throws as soon
 * as it does.
 */
async function watch(deps: HoldDeps, seen: HeldBackup): Promise<void> {
  const wait = deps.sleep ?? sleep
  for (let waitedMs = 0; waitedMs <= holdTtlMs; waitedMs += watchStepMs) {
    await wait(watchStepMs)
    const now = await findBackupHold(deps.metadata.reader)
    if (now === undefined) return
    if (now.generation === seen.generation && now.expiresAt === seen.expiresAt) continue
    throw new BackupRefused(
      `another backup of this registry is running (${now.holder}); wait until it has ended, then run this one again`,
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
          'the backup could not keep deletions waiting, because it was stopped for longer than a minute or another backup took over; blobs that it had yet to copy may be gone: run it again',
        ),
      )
    } catch (error) {
      this.#lost.abort(error)
    }
  }
}
