/** Backup and restore of metadata, from SQLite to SQLite. */
import { join } from 'node:path'
import { systemClock } from '../../../lib/clock.ts'
import { createTemporaryFolder } from '../../contract/temporary-folder.ts'
import { openSqliteMetadata } from '../../dialects/sqlite/sqlite.ts'
import { sqliteRestoreDatabase } from '../restore-metadata.ts'
import { describeBackupContract } from './backup-contract.ts'

describeBackupContract(async () => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const file = join(folder.path, 'lading.db')
  const resources = stack.move()
  return {
    file,
    restore: sqliteRestoreDatabase(file, systemClock),
    async open() {
      const onFatal = (error: unknown): never => {
        throw error
      }
      return resources.use(await openSqliteMetadata({ file, clock: systemClock, onFatal }))
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
})
