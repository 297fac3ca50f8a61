/** Tests access tokens with concurrent writers. */
import { env } from 'node:process'
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { eventually } from '../../../test/support/eventually.ts'
import { tester } from '../../../test/support/parts/tester.ts'
import { createAudit } from '../../audit/audit.ts'
import { systemClock } from '../../lib/clock.ts'
import { insertAccount, lockAccount } from '../../metadata/identity/accounts.ts'
import { revokeAccessToken } from '../../metadata/identity/access-tokens.ts'
import { openPostgresMetadata } from '../../metadata/dialects/postgres/postgres.ts'
import { createAccessTokens } from '../access-tokens/access-tokens.ts'

/** Counts the connections that wait for a lock that another connection holds. */
async function countWaiting(url: string): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const found = await client.query(`select pid from pg_stat_activity where wait_event_type = 'Lock'`)
  await client.end()
  return found.rows.length
}

test('C2: a rotation that waits for the revocation of the old token makes no new one', async () => {
  const url = env['LADING_TEST_POSTGRES_URL'] ?? ''
  await using metadata = await openPostgresMetadata({ url, clock: systemClock })
  await using audit = createAudit({ metadata, clock: systemClock, onError: () => undefined })
  const tokens = createAccessTokens({ metadata, clock: systemClock, audit })
  const name = `rotating-${Date.now()}`
  const accountId = await metadata.transact((tx) =>
    insertAccount(tx, { name, passwordHash: 'x', isAdmin: false, now: 1 }),
  )
  const { token } = await tokens.create(accountId, { name: 'stolen' }, tester)
  const rotations: Promise<unknown>[] = []
  await metadata.transact(async (tx) => {
    await lockAccount(tx, accountId)
    await revokeAccessToken(tx, { id: token.id, now: systemClock.now() })
    for (const overlapMs of [0, 60_000]) {
      const rotation = tokens.rotate(token.id, { overlapMs }, tester)
      rotation.catch(() => undefined)
      rotations.push(rotation)
    }
    await eventually(
      () => countWaiting(url),
      (count) => count === rotations.length,
    )
  })
  for (const rotation of rotations) {
    await expect(rotation).rejects.toMatchObject({ name: 'AccessTokenUnknownError' })
  }
  expect(await tokens.list({ accountId, limit: 9 })).toHaveLength(1)
})
