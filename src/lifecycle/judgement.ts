/** Whether a database may call bytes unwanted because none of its rows names them. */
import type { StoreEntry } from '../blob-store/blob-store.ts'
import type { StoreJudgement } from '../metadata/system/installation.ts'

/** Whether the operator has said that the database knows everything of that age. */
export function isAccepted({ modifiedAt }: StoreEntry, { acceptedAt }: StoreJudgement): boolean {
  return acceptedAt !== undefined && modifiedAt <= acceptedAt
}

/** Bytes that are older than the database may belong to rows that it lost, or never had. */
export function isJudged(entry: StoreEntry, judgement: StoreJudgement): boolean {
  return entry.modifiedAt >= judgement.judgesSince || isAccepted(entry, judgement)
}
