/** Checks that the database and the store respond, are intact and belong together. */
import { existsSync } from 'node:fs'
import { databaseFile, storeFolder } from '../../../app/data-folder.ts'
import { openMetadata } from '../../../app/open-metadata.ts'
import {
  judgeFound,
  lookAtStore,
  newDatabase,
  readDatabase,
  type FoundDatabase,
} from '../../../app/open-parts.ts'
import { openStore } from '../../../app/open-store.ts'
import { StoreMismatchError } from '../../../app/pair-store.ts'
import type { BlobStore } from '../../../blob-store/blob-store.ts'
import type { Config } from '../../../config/schema.ts'
import type { Clock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { UnfinishedRestoreError } from '../../../lifecycle/backup/restore-marker.ts'
import { damageAdvice, fatalKindOf } from '../../../metadata/dialects/sqlite/errors.ts'
import { isNewSqliteFile } from '../../../metadata/dialects/sqlite/files/files.ts'
import { refuseLogAlone } from '../../../metadata/dialects/sqlite/sqlite.ts'
import { findFaults, readDatabaseTime } from '../../../metadata/system/diagnostics.ts'
import type { Metadata } from '../../../metadata/metadata.ts'
import { readMigrationState } from '../../../metadata/migrations/migrate.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import { judgeClock } from './check-machine.ts'
import { broken, ok, warning } from './finding.ts'
import type { Finding } from './finding.ts'
import { messageOf } from '../../../lib/message-of.ts'

export interface PartDeps {
  readonly clock: Clock
  readonly logger: Logger
}

export async function* checkParts(config: Config, deps: PartDeps): AsyncGenerator<Finding> {
  await using stack = new AsyncDisposableStack()
  // `undefined` if the database does not answer.
  let found: FoundDatabase | undefined
  if (config.metadata.driver === 'sqlite' && (await isNewSqliteFile(databaseFile(config)))) {
    found = newDatabase
    yield await judgeNewFile(config)
  } else {
    try {
      const metadata = stack.use(await openMetadata(config, { ...deps, upgrade: false }))
      yield* checkDatabase(metadata, deps.clock)
      found = await readDatabase(metadata.reader)
    } catch (error) {
      yield broken('database', describeFailure(error), adviceFor(config, error))
    }
  }
  const mismatch = found && (await findMismatch(config, found))
  if (mismatch === undefined) yield* checkStore(config, { ...deps, isPaired: found !== undefined })
  else yield mismatch
}

/** Judges a missing database. A start creates it, unless the store belongs to a database that was lost. */
async function judgeNewFile(config: Config): Promise<Finding> {
  try {
    await refuseLogAlone(databaseFile(config))
  } catch (error) {
    return broken('database', messageOf(error), 'the server does not start before this is resolved')
  }
  const isFirstStart = (await findMismatch(config, newDatabase)) === undefined
  const elsewhere = 'choose another folder with --data'
  return warning(
    'database',
    `there is no database in ${config.data}${isFirstStart ? ' yet' : ''}`,
    isFirstStart ? `lading serve creates it at the first start; ${elsewhere}` : elsewhere,
  )
}

/** Adds the reason of the driver, which the message of a translated error leaves out. */
function describeFailure(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${messageOf(error)}${cause}`
}

function adviceFor({ metadata, data }: Config, error: unknown): string {
  if (metadata.driver === 'postgres') return 'check metadata.url and whether the database server runs'
  if (isDamage(error)) return `stop the server, check the disk, then ${damageAdvice}`
  return `check who owns the files in ${data}`
}

function isDamage(error: unknown): boolean {
  return error instanceof Error && (fatalKindOf(error) === 'damage' || fatalKindOf(error.cause) === 'damage')
}

async function* checkDatabase(metadata: Metadata, clock: Clock): AsyncGenerator<Finding> {
  const { applied, pending, unknown } = await readMigrationState(metadata.reader)
  // `ping` reads a table that a new database does not have.
  if (applied.length > 0) await metadata.ping()
  if (unknown.length > 0) {
    yield broken(
      'database',
      `a newer version wrote it (${unknown.join(', ')})`,
      'run that version or a newer one',
    )
  } else if (pending.length > 0) {
    yield warning(
      'database',
      `its schema is old and lacks ${pending.join(', ')}`,
      'run lading migrate or start lading serve to upgrade it',
    )
  }
  yield await checkStructure(metadata, applied.at(-1) ?? 'none')
  const time = await readDatabaseTime(metadata.reader)
  if (time !== undefined) yield judgeClock('the clock of the database', time - clock.now())
}

async function checkStructure(metadata: Metadata, schema: string): Promise<Finding> {
  const damaged = (how: string): Finding =>
    broken(
      'database',
      `it is damaged: ${how}`,
      metadata.dialect === 'sqlite'
        ? `stop the server, check the disk, then ${damageAdvice}`
        : 'stop the server and restore a backup into an empty database with lading restore --database-only',
    )
  try {
    const faults = await findFaults(metadata.reader)
    if (faults.length > 0) return damaged(faults.join('; '))
    return ok('database', `${metadata.dialect} answers and is intact, schema ${schema}`)
  } catch (error) {
    return damaged(messageOf(error))
  }
}

/** Runs the checks of a start and creates nothing. */
async function findMismatch(config: Config, found: FoundDatabase): Promise<Finding | undefined> {
  try {
    judgeFound(config, { found, store: await lookAtStore(config) }, false)
    return undefined
  } catch (error) {
    if (error instanceof UnfinishedRestoreError) {
      return broken('store', error.message, 'the server does not start before the restore is finished')
    }
    if (!(error instanceof StoreMismatchError)) return undefined
    return broken(
      'store',
      error.message,
      'the server does not start with this pair; docs/operations.md explains each case',
    )
  }
}

interface StoreDeps extends PartDeps {
  /** Whether the store was compared with the database. `false` if the database could not be read. */
  readonly isPaired: boolean
}

async function* checkStore(config: Config, { clock, logger, isPaired }: StoreDeps): AsyncGenerator<Finding> {
  if (config.storage.driver === 'memory') {
    yield warning(
      'store',
      'blobs are kept in memory and lost at exit',
      'set storage.driver to filesystem, unless this is a test',
    )
    return
  }
  if (!existsSync(storeFolder(config))) {
    yield warning(
      'store',
      `there is no blob store in ${config.data} yet`,
      'lading serve creates it at the first start',
    )
    return
  }
  try {
    await using store = await openStore(config, { clock, ids: systemIds, logger })
    await pingTwice(store)
    yield ok('store', `it writes, reads and deletes${isPaired ? ', and belongs to the database' : ''}`)
  } catch (error) {
    yield broken(
      'store',
      messageOf(error),
      `check who owns the files in ${storeFolder(config)}, and the disk`,
    )
  }
}

/** Retries once, because a server that probes at the same moment may remove the probe. */
async function pingTwice(store: BlobStore): Promise<void> {
  try {
    await store.ping()
  } catch {
    await store.ping()
  }
}
