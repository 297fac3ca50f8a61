/** Backup and restore of metadata, from SQLite to a real PostgreSQL and back. */
import { systemClock } from '../../../lib/clock.ts'
import { createPostgresDatabase } from '../../../../test/support/parts/postgres-database.ts'
import { openPostgresMetadata } from '../../dialects/postgres/postgres.ts'
import { postgresRestoreDatabase } from '../restore-metadata.ts'
import { describeBackupContract } from './backup-contract.ts'

describeBackupContract(async () => {
  await using stack = new AsyncDisposableStack()
  const { url } = stack.use(await createPostgresDatabase())
  const metadata = stack.use(await openPostgresMetadata({ url, clock: systemClock, upgrade: false }))
  const resources = stack.move()
  return {
    file: '',
    restore: postgresRestoreDatabase(metadata, systemClock),
    async open() {
      return resources.use(await openPostgresMetadata({ url, clock: systemClock }))
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
})
