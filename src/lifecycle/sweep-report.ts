/** The findings and actions of one sweep. */
import type { StoreEntry } from '../blob-store/blob-store.ts'
import { maxNames } from './remove-dead-keys.ts'

/** Counts entries, and keeps the first few names for the log. */
export class Tally {
  entries = 0
  bytes = 0
  readonly names: string[] = []

  add({ key, digest, size }: StoreEntry): void {
    this.entries += 1
    this.bytes += size
    if (this.names.length < maxNames) this.names.push(digest === undefined ? key : `${key} ${digest}`)
  }
}

export interface SweepReport {
  /** All entries of the store. */
  readonly total: Tally
  /** No row names them, and they are older than the database can judge: left alone. */
  readonly unjudged: Tally
  /** No row names them, but they are too large a share of the store to move unless an operator confirms it. */
  refused: Tally
  /** No row names them; moved aside by this run. */
  readonly moved: Tally
  /** Set aside by an earlier run, but a row names them: moved back. */
  readonly restored: Tally
  /** Set aside long enough ago: deleted. */
  readonly deleted: Tally
  /** The entries that are still aside at the end. */
  readonly aside: Tally
}

export function createSweepReport(): SweepReport {
  return {
    total: new Tally(),
    unjudged: new Tally(),
    refused: new Tally(),
    moved: new Tally(),
    restored: new Tally(),
    deleted: new Tally(),
    aside: new Tally(),
  }
}
