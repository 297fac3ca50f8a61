/** Leases: one runner of a job at a time; the generation tells a former holder that it lost. */
import type { Transaction } from './handles.ts'
import { kyselyOf } from './sql/database.ts'

export interface LeaseClaim {
  readonly name: string
  readonly holder: string
}

/** `undefined` while another holder's lease runs. Each success raises the generation, for the same holder too. */
export async function acquireLease(
  tx: Transaction,
  options: LeaseClaim & { readonly now: number; readonly ttlMs: number },
): Promise<{ generation: number } | undefined> {
  const { name, holder, now, ttlMs } = options
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
        .where((eb) => eb.or([eb('lease.expires_at', '<=', now), eb('lease.holder', '=', holder)])),
    )
    .returning('generation')
    .executeTakeFirst()
  return row === undefined ? undefined : { generation: row.generation }
}

/** `false` when another has taken the lease over; one that ran out but was not taken is prolonged. */
export async function renewLease(
  tx: Transaction,
  options: LeaseClaim & { readonly generation: number; readonly now: number; readonly ttlMs: number },
): Promise<boolean> {
  const result = await kyselyOf(tx)
    .updateTable('lease')
    .set({ expires_at: options.now + options.ttlMs })
    .where('name', '=', options.name)
    .where('holder', '=', options.holder)
    .where('generation', '=', options.generation)
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
