/** Who tried to log in, from where, and with what result. No name that was typed in: it may be a password. */
import type { Reader, Transaction } from './handles.ts'
import { chunks } from './sql/chunks.ts'
import { kyselyOf } from './sql/database.ts'
import { storableOrNull, storableText } from './sql/storable-text.ts'

export type LoginMethod = 'password' | 'refresh-token'
export type LoginOutcome = 'granted' | 'wrong-password' | 'unknown' | 'disabled' | 'revoked' | 'throttled'

export interface LoginEvent {
  readonly at: number
  /** Absent where no account has the name that was given. */
  readonly accountId: number | undefined
  readonly method: LoginMethod
  readonly outcome: LoginOutcome
  readonly address: string
  readonly client: string | undefined
}

export async function insertLoginEvents(tx: Transaction, events: readonly LoginEvent[]): Promise<void> {
  for (const chunk of chunks(events)) {
    await kyselyOf(tx)
      .insertInto('login_event')
      .values(
        chunk.map((event) => ({
          at: event.at,
          account_id: event.accountId ?? null,
          method: event.method,
          outcome: event.outcome,
          address: storableText(event.address),
          client: storableOrNull(event.client),
        })),
      )
      .execute()
  }
}

/** Oldest first, after the id `after` (exclusive). */
export async function listLoginEvents(
  db: Reader,
  page: { readonly after?: number | undefined; readonly limit: number },
): Promise<(LoginEvent & { readonly id: number })[]> {
  const rows = await kyselyOf(db)
    .selectFrom('login_event')
    .selectAll()
    .where('id', '>', page.after ?? 0)
    .orderBy('id')
    .limit(page.limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    accountId: row.account_id ?? undefined,
    method: row.method as LoginMethod,
    outcome: row.outcome as LoginOutcome,
    address: row.address,
    client: row.client ?? undefined,
  }))
}

/** Returns how many went, `limit` at most. */
export async function deleteLoginEvents(
  tx: Transaction,
  options: { readonly before: number; readonly limit: number },
): Promise<number> {
  const result = await kyselyOf(tx)
    .deleteFrom('login_event')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('login_event')
        .select('id')
        .where('at', '<', options.before)
        .orderBy('at')
        .limit(options.limit),
    )
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
