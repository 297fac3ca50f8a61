/** What a run of the sweep found and did. */
import type { StoreEntry } from '../blob-store/blob-store.ts'
import { maxNames } from './remove-dead-keys.ts'

/** Counts entries, and keeps the names of the first ones for the log. */
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
  /** Everything in the store. */
  readonly total: Tally
  /** Named by no row, and older than what this database can judge: left alone. */
  readonly unjudged: Tally
  /** Named by no row, and too large a share of the store to be moved without the word of an operator. */
  refused: Tally
  /** Named by no row, and moved aside by this run. */
  readonly moved: Tally
  /** Set aside by an earlier run, and named by a row after all: moved back. */
  readonly restored: Tally
  /** Set aside long enough ago: deleted. */
  readonly deleted: Tally
  /** What lies aside at the end. */
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
