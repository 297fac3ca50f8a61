/** Tests administrators with concurrent writers: two are removed at once. */
import { Client } from 'pg'
import { expect, test } from 'vitest'
import { eventually } from '../../../test/support/eventually.ts'
import { openAuth } from '../../../test/support/parts/open-auth.ts'
import { createPostgresDatabase } from '../../../test/support/parts/postgres-database.ts'
import { tester } from '../../../test/support/parts/tester.ts'
import { systemClock } from '../../lib/clock.ts'
import { isLastAdministrator, listAdministrators } from '../../metadata/identity/administrators.ts'
import { openPostgresMetadata } from '../../metadata/dialects/postgres/postgres.ts'
import { createOwners } from '../../organizations/owners.ts'

const ways = ['disable', 'demote', 'delete'] as const

async function countWaiting(url: string): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const found = await client.query(
    `select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
  )
  await client.end()
  return found.rows.length
}

test.each(ways.flatMap((one) => ways.map((other) => [one, other] as const)))(
  'simultaneous %s of one and %s of the other of two administrators leave one',
  async (...chosen) => {
    await using database = await createPostgresDatabase()
    const { url } = database
    await using metadata = await openPostgresMetadata({ url, clock: systemClock })
    await using open = await openAuth({ metadata })
    const { accounts } = open.auth
    const owners = createOwners({ metadata, clock: systemClock, audit: open.audit })
    const go = {
      disable: (name: string) => accounts.disable(name, tester),
      demote: (name: string) => accounts.setAdministrator(name, false, tester),
      delete: (name: string) => owners.delete(name, { kind: 'user', purge: false }, tester),
    }
    const names = ['ann', 'bea'] as const
    for (const name of names) await accounts.add({ name, password: 'correct horse', isAdmin: true }, tester)
    const going: Promise<unknown>[] = []
    await metadata.transact(async (tx) => {
      expect(await isLastAdministrator(tx, 'ann')).toBe(false)
      for (const [index, way] of chosen.entries()) {
        const gone = go[way](names[index] ?? '')
        gone.catch(() => undefined)
        going.push(gone)
      }
      await eventually(
        () => countWaiting(url),
        (count) => count === going.length,
      )
    })
    const ended = await Promise.allSettled(going)
    const refusals = ended.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown)
    expect(refusals).toEqual([expect.objectContaining({ name: 'LastAdministratorError' })])
    const left = await listAdministrators(metadata.reader, { after: '', limit: 9 })
    expect(left.filter(({ disabled }) => !disabled)).toHaveLength(1)
  },
)
