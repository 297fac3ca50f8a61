/** Leases: one runner of a job at a time; the generation tells a former holder that it lost. */
import type { Reader, Transaction } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

export interface LeaseClaim {
  readonly name: string
  readonly holder: string
}

/** What a holder changes with each renewal: while it stays the same, nobody renews. */
export interface LeaseMark {
  readonly generation: number
  readonly expiresAt: number
}

/**
 * Returns `undefined` while another holder's lease runs. Each success raises the generation, for the same holder too.
 * A lease that still bears the mark `abandoned` is taken whenever it ends.
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

/** The lease as it is now, held or not; `undefined` when nobody ever had it. */
export async function findLease(
  db: Reader,
  name: string,
): Promise<(LeaseMark & { readonly holder: string }) | undefined> {
  const row = await kyselyOf(db).selectFrom('lease').selectAll().where('name', '=', name).executeTakeFirst()
  return row && { holder: row.holder, generation: row.generation, expiresAt: row.expires_at }
}

/** `false` when another has taken the lease over. One that ran out but was not taken is prolonged, unless `isStrict`. */
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

/** Lets others in at once; no effect when the lease was taken over. The row stays, so that generations never repeat. */
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

/** Ends the lease of a holder that does not renew it, so that it never will; `false` when the mark is another by now. */
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
