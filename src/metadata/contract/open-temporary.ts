/** Opens SQLite in a temporary folder, for tests outside the contract. */
import { systemClock } from '../../lib/clock.ts'
import { openSqliteMetadata } from '../dialects/sqlite/sqlite.ts'
import type { Metadata } from '../metadata.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

export interface TemporaryMetadata extends AsyncDisposable {
  readonly metadata: Metadata
}

export async function openTemporaryMetadata(): Promise<TemporaryMetadata> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const metadata = stack.use(
    await openSqliteMetadata({
      file: `${folder.path}/lading.db`,
      clock: systemClock,
      onFatal: (error) => {
        throw error
      },
    }),
  )
  const resources = stack.move()
  return { metadata, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
