/**
 * Turns for everybody else within a large write. SQLite answers synchronously: 10,000 rows in one transaction would
 * keep the event loop for 100 ms. Small writes never pause, so that the write lock stays short where it matters. A
 * write does not wait in the line of `lib/turns/turns.ts`: it holds the lock meanwhile, and there is one at a time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Reader, Transaction } from '../handles.ts'
import { databaseOf } from './database.ts'

/** So many rows, each on pages of its own in two or three indexes, take some milliseconds also on a busy machine. */
export const rowsPerTurn = 128

/** Gives the event loop a turn on SQLite; other drivers wait for their server anyway. */
export async function pause(db: Reader): Promise<void> {
  if (databaseOf(db).dialect === 'sqlite') await nextTurn()
}

/** Works on the items of a large write one by one, and pauses between them. Each changes about `rowsPerItem` rows. */
export async function eachInTurns<T>(
  tx: Transaction,
  { items, rowsPerItem }: { readonly items: Iterable<T>; readonly rowsPerItem: number },
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let rows = 0
  for (const item of items) {
    if (rows >= rowsPerTurn) {
      await pause(tx)
      rows = 0
    }
    await work(item)
    rows += rowsPerItem
  }
}
