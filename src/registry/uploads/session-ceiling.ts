/**
 * Limits how many upload sessions one client may have open. Sessions that the client has forgotten do not block it: at the
 * ceiling the oldest session without a byte makes room for a new one. A session that holds a byte, or that somebody is
 * writing, never does.
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

/** Rows in one query. */
const pageSize = 50
/** A ceiling that was lowered may be exceeded by many sessions: each request ends some of them. */
const maxEndedAtOnce = 100
/**
 * More transactions than one client can have under way at the same time. So close to the ceiling they count one after the
 * other, since transactions that count at the same time could pass it together.
 */
const maxConcurrentInserts = 256
/** No client pauses for so long between the start of a session and its first byte. */
const minEmptyMs = 5 * 60_000
const marginMs = 60_000

/**
 * Returns how long sessions live. A first writer that uses a reservation shows in the row only with its first bytes,
 * which may come after `idleTimeoutMs` of silence; until then its session does not count as forgotten.
 */
export function uploadLives(options: {
  readonly expireAfterMs: number
  readonly idleTimeoutMs: number
}): UploadLives {
  const { expireAfterMs, idleTimeoutMs } = options
  const emptyMs = Math.max(minEmptyMs, reservationUsableMs + idleTimeoutMs + marginMs)
  return { withBytesMs: expireAfterMs, emptyMs: Math.min(expireAfterMs, emptyMs) }
}

/** Returns who a session counts against: a principal, or the address of anonymous clients, who are not one person. */
export function holderOf({ principal, origin }: Pick<Caller, 'principal' | 'origin'>): string {
  const id = principalId(principal)
  if (principal.kind !== 'anonymous' || origin === undefined) return id
  return `${id}@${groupAddress(origin.address)}`
}

/**
 * Makes sure that one more session is within the ceiling. Returns whether its first writer may do without a claim, which is
 * allowed only far from the ceiling: near it, the row has to show to every process whether the session is unused. Throws
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
 * Only this process knows whether somebody writes a session that it has reserved, so it takes the reservation back first. A
 * writer that comes now has to claim the row, and the second of the claim and the end of the session fails.
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
  // A session ends one millisecond after its life.
  const waitMs = (expiry ?? now) + 1 - now
  return new TooManyUploadsError({
    limit: maxSessions,
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)),
  })
}
