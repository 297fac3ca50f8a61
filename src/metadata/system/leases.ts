/** Leases make sure that a job has one runner at a time; the generation shows a former holder that it lost the lease. */
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

export interface LeaseClaim {
  readonly name: string
  readonly holder: string
}

/** The values that a holder changes with each renewal: while they stay the same, the lease is not being renewed. */
export interface LeaseMark {
  readonly generation: number
  readonly expiresAt: number
}

/**
 * Acquires the lease; returns `undefined` while another holder has it. Each success raises the generation, even for the
 * same holder. A lease that still has the mark `abandoned` is taken over, whenever it expires.
 */
export async function acquireLease(
  tx: Transaction,
  options: LeaseClaim & {
    readonly now: number
    readonly ttlMs: number
    readonly abandoned?: LeaseMark | undefined
  },
): Promise<{ generation: number } | undefined> {
  const { name, holder, now, ttlMs, abandoned = { generation: -1, expiresAt: -1 } } = options
  const expiresAt = now + ttlMs
  const row = await kyselyOf(tx)
    .insertInto('lease')
    .values({ name, holder, generation: 1, expires_at: expiresAt })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet((eb) => ({
          holder,
          generation: eb(eb.ref('lease.generation'), '+', 1),
          expires_at: expiresAt,
        }))
        .where((eb) =>
          eb.or([
            eb('lease.expires_at', '<=', now),
            eb('lease.holder', '=', holder),
            eb.and([
              eb('lease.generation', '=', abandoned.generation),
              eb('lease.expires_at', '=', abandoned.expiresAt),
            ]),
          ]),
        ),
    )
    .returning('generation')
    .executeTakeFirst()
  return row === undefined ? undefined : { generation: row.generation }
}

/** Returns the current lease, held or not; `undefined` if it was never held. */
export async function findLease(
  db: Reader,
  name: string,
): Promise<(LeaseMark & { readonly holder: string }) | undefined> {
  const row = await kyselyOf(db).selectFrom('lease').selectAll().where('name', '=', name).executeTakeFirst()
  return row && { holder: row.holder, generation: row.generation, expiresAt: row.expires_at }
}

/**
 * Renews the lease. Returns `false` if another holder has taken it over. An expired lease that was not taken over is
 * renewed, unless `isStrict`.
 */
export async function renewLease(
  tx: Transaction,
  options: LeaseClaim & {
    readonly generation: number
    readonly now: number
    readonly ttlMs: number
    readonly isStrict?: boolean
  },
): Promise<boolean> {
  const result = await kyselyOf(tx)
    .updateTable('lease')
    .set({ expires_at: options.now + options.ttlMs })
    .where('name', '=', options.name)
    .where('holder', '=', options.holder)
    .where('generation', '=', options.generation)
    .$if(options.isStrict === true, (query) => query.where('expires_at', '>', options.now))
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/**
 * Releases the lease at once; has no effect if another holder has taken it over. The row stays, so that generations
 * never repeat.
 */
export async function releaseLease(
  tx: Transaction,
  options: LeaseClaim & { readonly generation: number },
): Promise<void> {
  await kyselyOf(tx)
    .updateTable('lease')
    .set({ holder: '', expires_at: 0 })
    .where('name', '=', options.name)
    .where('holder', '=', options.holder)
    .where('generation', '=', options.generation)
    .execute()
}

/** Ends the lease of a holder that does not renew it, so that it cannot renew it later; `false` if the mark has changed. */
export async function endLease(tx: Transaction, name: string, mark: LeaseMark): Promise<boolean> {
  const result = await kyselyOf(tx)
    .updateTable('lease')
    .set({ holder: '', expires_at: 0 })
    .where('name', '=', name)
    .where('generation', '=', mark.generation)
    .where('expires_at', '=', mark.expiresAt)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
