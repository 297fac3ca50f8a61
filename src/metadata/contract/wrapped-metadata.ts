/** Drivers whose transactions are counted, measured or interrupted, for tests of deletion steps. */
import { sql } from 'kysely'
import type { Transaction } from '../handles.ts'
import type { Metadata, TransactOptions } from '../metadata.ts'
import { kyselyOf } from '../sql/database.ts'
import { TurnCounter } from '../../../test/support/turn-counter.ts'

type Work<T> = (tx: Transaction) => Promise<T>

export interface CountedMetadata extends Metadata {
  /** The number of rows that each transaction so far changed, including transactions of a shared commit; SQLite only. */
  readonly changes: readonly number[]
}

/** Counts the rows of each transaction. */
export function countChanges(metadata: Metadata): CountedMetadata {
  const changes: number[] = []
  const totalOf = async (tx: Transaction): Promise<number> => {
    const { rows } = await sql<{ total: number }>`select total_changes() as total`.execute(kyselyOf(tx))
    return rows[0]?.total ?? 0
  }
  const transact = <T>(work: Work<T>, options?: TransactOptions): Promise<T> =>
    metadata.transact(async (tx) => {
      const before = await totalOf(tx)
      const result = await work(tx)
      changes.push((await totalOf(tx)) - before)
      return result
    }, options)
  return { ...wrap(metadata, transact), changes }
}

/** After this many transactions, throws instead of running the next, as if the process had ended there. */
export function endAfter(metadata: Metadata, transactions: number): Metadata {
  let left = transactions
  return wrap(metadata, async (work, options) => {
    if (left === 0) throw new Error('the process ends here')
    left -= 1
    return metadata.transact(work, options)
  })
}

/** Runs `work` before the transaction with this number, counted from 1, as another process might. */
export function interruptBefore(
  metadata: Metadata,
  transaction: number,
  work: () => Promise<unknown>,
): Metadata {
  let count = 0
  return wrap(metadata, async (own, options) => {
    count += 1
    if (count === transaction) await work()
    return metadata.transact(own, options)
  })
}

function wrap(metadata: Metadata, transact: Metadata['transact']): Metadata {
  return {
    dialect: metadata.dialect,
    reader: metadata.reader,
    transact,
    onRightsChange: (listener) => metadata.onRightsChange(listener),
    expectInstallation: (id) => metadata.expectInstallation(id),
    flush: () => metadata.flush(),
    ping: () => metadata.ping(),
    [Symbol.asyncDispose]: () => metadata[Symbol.asyncDispose](),
  }
}

/** Returns the number of turns of the event loop that other work gets during the transaction. */
export async function countTurns(metadata: Metadata, work: Work<unknown>): Promise<number> {
  using counter = new TurnCounter()
  return await metadata.transact(async (tx) => {
    const before = counter.turns
    await work(tx)
    return counter.turns - before
  })
}
