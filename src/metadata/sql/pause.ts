/**
 * Pauses within a large write so that other requests get a turn. SQLite answers synchronously: 10,000 rows in one
 * transaction would block the event loop for 100 ms. Small writes never pause, so that they hold the write lock only
 * briefly. A write does not queue in `lib/turns/turns.ts`: it holds the lock while it pauses, and there is only one
 * writer at a time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Reader, Transaction } from '../handles.ts'
import { databaseOf } from './database.ts'

/**
 * The rows between two pauses. Each row touches its own pages in two or three indexes; together they take a few
 * milliseconds even on a busy machine.
 */
export const rowsPerTurn = 128

/** Gives the event loop a turn on SQLite; other drivers wait for their server anyway. */
export async function pause(db: Reader): Promise<void> {
  if (databaseOf(db).dialect === 'sqlite') await nextTurn()
}

/** Runs `work` on the items of a large write one by one, with pauses in between. Each item changes about `rowsPerItem` rows. */
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
