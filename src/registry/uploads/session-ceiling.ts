/**
 * Limits how many open upload sessions one client may have. Sessions that the client has abandoned do not block it: at the
 * ceiling, the oldest session without a byte is ended for a new one. A session that has received a byte, or is being written, is
 * ended only once it has expired.
 */
import { groupAddress } from '../../lib/group-address.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Transaction } from '../../metadata/handles.ts'
import {
  countUploads,
  endUnchangedUpload,
  findNextUploadExpiry,
  listForgottenUploads,
  lockHolder,
  type HeldUpload,
  type UploadLives,
} from '../../metadata/content/upload-ceiling.ts'
import { principalId } from '../../identity/principal.ts'
import type { Caller } from '../caller.ts'
import { TooManyUploadsError } from '../errors.ts'
import type { HolderLines } from './holder-lines.ts'
import { reservationUsableMs, type Reservations } from './reservations.ts'

export interface CeilingDeps {
  readonly clock: Clock
  readonly maxSessions: number
  readonly lives: UploadLives
  readonly reservations: Reservations
  readonly holderLines: HolderLines
}

/** The rows of one query. */
const pageSize = 50
/**
 * The most sessions that one request ends: after a ceiling was lowered, many sessions may exceed it, and each request ends some
 * of them.
 */
const maxEndedAtOnce = 100
/**
 * More transactions than one client can have in progress at the same time. This close to the ceiling they count one after the
 * other, because transactions that count at the same time could exceed it together.
 */
const maxConcurrentInserts = 256
/** Longer than any client pauses between the start of a session and its first byte. */
const minEmptyMs = 5 * 60_000
const marginMs = 60_000

/**
 * Returns how long sessions live. A first writer that uses a reservation shows up in the row only with its first bytes, which may
 * arrive after `idleTimeoutMs` of silence; until then its session does not count as abandoned.
 */
export function uploadLives(options: {
  readonly expireAfterMs: number
  readonly idleTimeoutMs: number
}): UploadLives {
  const { expireAfterMs, idleTimeoutMs } = options
  const emptyMs = Math.max(minEmptyMs, reservationUsableMs + idleTimeoutMs + marginMs)
  return { withBytesMs: expireAfterMs, emptyMs: Math.min(expireAfterMs, emptyMs) }
}

/**
 * Returns the holder that a session counts against: a principal, or the address of anonymous clients, which are not one person.
 */
export function holderOf({ principal, origin }: Pick<Caller, 'principal' | 'origin'>): string {
  const id = principalId(principal)
  if (principal.kind !== 'anonymous' || origin === undefined) return id
  return `${id}@${groupAddress(origin.address)}`
}

/**
 * Makes sure that one more session is within the ceiling. Returns whether its first writer may start without a claim. That is
 * allowed only far from the ceiling: near it, the row must show every process whether the session is unused. Throws
 * `TooManyUploadsError`.
 */
export async function makeRoom(deps: CeilingDeps, tx: Transaction, holder: string): Promise<boolean> {
  const { maxSessions, holderLines } = deps
  let open = await countUploads(tx, holder)
  const isNear = open >= Math.min(maxSessions / 2, maxSessions - maxConcurrentInserts)
  holderLines.note(holder, isNear)
  if (isNear && (await lockHolder(tx, holder))) open = await countUploads(tx, holder)
  const surplus = open - maxSessions + 1
  if (surplus > 0) await endForgotten(deps, tx, { holder, surplus })
  return open < maxSessions / 2
}

async function endForgotten(
  deps: CeilingDeps,
  tx: Transaction,
  { holder, surplus }: { readonly holder: string; readonly surplus: number },
): Promise<void> {
  const { clock, lives, reservations } = deps
  const now = clock.now()
  const wanted = Math.min(surplus, maxEndedAtOnce)
  const query = { holder, lives, now, reservedPrefix: reservations.prefix, limit: pageSize }
  let ended = 0
  let after: HeldUpload | undefined
  while (ended < wanted) {
    const page = await listForgottenUploads(tx, { ...query, after })
    for (const seen of page) {
      if (ended === wanted) break
      if (await endIfUnused(deps, tx, { seen, now })) ended += 1
    }
    after = page.at(-1)
    if (page.length < pageSize) break
  }
  if (ended < wanted) throw await refuse(deps, tx, holder)
}

/**
 * Ends a session unless it is in use. Only this process knows whether a session that it reserved is being written, so it removes
 * the reservation first. A new writer must then claim the row, and either the claim or the end of the session fails, whichever
 * comes second.
 */
async function endIfUnused(
  { lives, reservations }: CeilingDeps,
  tx: Transaction,
  { seen, now }: { readonly seen: HeldUpload; readonly now: number },
): Promise<boolean> {
  const isExpired = seen.touchedAt < now - (seen.offset > 0 ? lives.withBytesMs : lives.emptyMs)
  const isUnused = isExpired || seen.writer === undefined || reservations.holds(seen)
  if (!isUnused) return false
  reservations.forget(seen.id)
  return endUnchangedUpload(tx, seen, now)
}

async function refuse(
  { clock, lives, maxSessions }: CeilingDeps,
  tx: Transaction,
  holder: string,
): Promise<TooManyUploadsError> {
  const now = clock.now()
  const expiry = await findNextUploadExpiry(tx, holder, lives)
  // A session ends one millisecond after its lifetime.
  const waitMs = (expiry ?? now) + 1 - now
  return new TooManyUploadsError({
    limit: maxSessions,
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)),
  })
}
