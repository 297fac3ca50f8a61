/** A separate program that writes to a SQLite file while others do: `write-in-process.ts <file> <counter> <times>`. */
import { argv } from 'node:process'
import { systemClock } from '../../lib/clock.ts'
import { openSqliteMetadata } from '../dialects/sqlite/sqlite.ts'
import { acquireLease } from '../system/leases.ts'

const [file = '', name = '', times = ''] = argv.slice(2)
await using metadata = await openSqliteMetadata({
  file,
  clock: systemClock,
  onFatal: (error) => {
    throw error
  },
})
const rounds = Array.from({ length: Number(times) / 10 }, () => 10)
for (const writers of rounds) {
  await Promise.all(
    Array.from({ length: writers }, () =>
      metadata.transact((tx) => acquireLease(tx, { name, holder: 'all', now: 1, ttlMs: 1 })),
    ),
  )
}
