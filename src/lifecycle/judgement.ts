/** Decides whether a database may judge bytes as unused because none of its rows names them. */
import type { BlobStore, StoreEntry } from '../blob-store/blob-store.ts'
import type { StoreJudgement } from '../metadata/system/installation.ts'

/** Whether the operator has confirmed that the database knows all bytes of that age. */
export function isAccepted({ modifiedAt }: StoreEntry, { acceptedAt }: StoreJudgement): boolean {
  return acceptedAt !== undefined && modifiedAt <= acceptedAt
}

/** Whether the database may judge these bytes: bytes older than the database may belong to rows that it lost or never had. */
export function isJudged(entry: StoreEntry, judgement: StoreJudgement): boolean {
  return entry.modifiedAt >= judgement.judgesSince || isAccepted(entry, judgement)
}

/**
 * Returns the time from which a database may judge the bytes of a store that it was just given: `now`, or later than everything
 * in the store, because the clock may be behind the one that dated the bytes. Reads the whole store.
 */
export async function findJudgementStart(
  store: Pick<BlobStore, 'list' | 'listAside'>,
  now: number,
): Promise<number> {
  let start = now
  for (const entries of [store.list(), store.listAside()]) {
    for await (const { modifiedAt } of entries) start = Math.max(start, Math.ceil(modifiedAt) + 1)
  }
  return start
}
