/** Decides whether a database may judge bytes as unused because none of its rows names them. */
import type { StoreEntry } from '../blob-store/blob-store.ts'
import type { StoreJudgement } from '../metadata/system/installation.ts'

/** Whether the operator has confirmed that the database knows all bytes of that age. */
export function isAccepted({ modifiedAt }: StoreEntry, { acceptedAt }: StoreJudgement): boolean {
  return acceptedAt !== undefined && modifiedAt <= acceptedAt
}

/** Whether the database may judge these bytes: bytes older than the database may belong to rows that it lost or never had. */
export function isJudged(entry: StoreEntry, judgement: StoreJudgement): boolean {
  return entry.modifiedAt >= judgement.judgesSince || isAccepted(entry, judgement)
}
