/**
 * @module
 * Metadata in one SQLite file, for one machine and any number of processes. Each process has one read-only connection
 * and one writer. Commits are acknowledged after the barrier, and checkpoints run in a thread. The database file is
 * never opened outside SQLite: closing any descriptor of it would drop SQLite's locks. ADR 1 has the reasons and
 * figures.
 */
import { lstat, open, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sql } from 'kysely'
import { monotonicClock, type Clock } from '../../../lib/clock.ts'
import { makeFolder } from '../../../lib/folders.ts'
import type { Timers } from '../../../lib/timers.ts'
import { MetadataUnavailable } from '../../errors.ts'
import { createReader, createTransaction } from '../../sql/database.ts'
import type { Reader, Transaction } from '../../handles.ts'
import type { Metadata, TransactOptions } from '../../metadata.ts'
import { migrate } from '../../migrations/migrate.ts'
import { GroupCommit } from './group-commit.ts'
import { Breaker } from './breaker.ts'
import { createBarrier } from './barrier.ts'
import type { Barrier } from './barrier.ts'
import { retryWhileBusy } from './busy.ts'
import { Checkpoints } from './checkpoints.ts'
import { openSqliteConnection } from './connection.ts'
import type { SqliteConnection } from './connection.ts'
import { FileWatch } from './files/file-watch.ts'
import { isNewSqliteFile } from './files/files.ts'
import { refuseForeignJournal } from './files/foreign-journal.ts'
import { refuseForeignLog } from './files/foreign-log.ts'
import { SqliteIdentity } from './identity.ts'

export interface SqliteMetadataOptions {
  /** The database file; its folder is created if missing. */
  readonly file: string
  readonly clock: Clock
  /** Measures how long a group of transactions takes. Default: the clock of the process. */
  readonly monotonic?: Clock
  /** The timers of the file watch. Default: those of the process. */
  readonly timers?: Timers
  /**
   * Called once, when a sync failed, the files are no longer the ones that were opened, or a page is damaged: end the
   * process. From then on every write fails, including one that waits for the disk, and so does `ping`.
   */
  readonly onFatal: (error: MetadataUnavailable) => void
  /** Called when an operation that is retried has failed, for example a checkpoint on a full disk. */
  readonly onError?: (error: unknown) => void
  /**
   * Whether to upgrade the schema. `false` leaves it as it is, for callers that inspect it or upgrade it themselves.
   * Default `true`.
   */
  readonly upgrade?: boolean
  /** Inspects the database before the upgrade. If it throws, the database stays as it was. */
  readonly inspect?: ((db: Reader) => Promise<void>) | undefined
}

// Another process may be upgrading a large database.
const openPatienceMs = 120_000
// A log file above this size is truncated when it is reset.
const logSizeLimitBytes = 64 * 1024 * 1024
const cacheKibibytes = 16 * 1024

/**
 * Opens the database and, unless `upgrade` is `false`, upgrades it. Throws `MetadataUnavailable`, `MetadataFull` and
 * `MetadataTooNew`.
 */
export async function openSqliteMetadata(options: SqliteMetadataOptions): Promise<Metadata> {
  const { timers } = options
  const file = await followLink(options.file)
  const breaker = new Breaker(options.onFatal)
  const onFatal = (error: MetadataUnavailable): void => breaker.trip(error)
  await using resources = new AsyncDisposableStack()
  await makeFolder(dirname(file), 0o700)
  await createPrivately(file)
  await refuseForeignJournal(file)
  await refuseForeignLog(file)
  const writer = openConnection(resources, { file, readOnly: false, onFatal })
  // Must come before synchronous=normal: SQLite itself then syncs the switch to the log.
  await retryWhileBusy(() => writer.exec('pragma journal_mode = wal'), openPatienceMs)
  configure(writer)
  writer.exec(`pragma synchronous = normal; pragma wal_autocheckpoint = 0;
    pragma journal_size_limit = ${logSizeLimitBytes}`)
  // Without an upgrade the log must still be created; the first read does that.
  if (options.upgrade === false) writer.exec('select count(*) from sqlite_schema')
  else await retryWhileBusy(() => transactOn(writer, (tx) => upgrade(tx, options)), openPatienceMs)
  const log = resources.use(await open(`${file}-wal`, 'r+'))
  await log.datasync()
  await syncDirectories(file)
  const reader = openConnection(resources, { file, readOnly: true, onFatal })
  configure(reader)
  const { ino: inode } = await stat(file, { bigint: true })
  const checkpoints = resources.use(
    new Checkpoints({ file, inode, onFatal, onError: options.onError ?? (() => undefined) }),
  )
  const fdatasync = async (): Promise<void> => {
    await log.datasync()
    breaker.assertIntact()
  }
  const barrier = createBarrier({ fdatasync, onFatal })
  const readSizeBytes = () => readDatabaseSize(reader)
  const content = new SqliteIdentity(options.file, reader.kysely)
  const findForeign = () => content.findForeign()
  const watched = { file: options.file, target: file, readSizeBytes, findForeign, onLost: onFatal, timers }
  await resources.use(new FileWatch(watched)).start()
  breaker.assertIntact()
  breaker.arm()
  const { monotonic = monotonicClock } = options
  const parts = { reader, writer, barrier, breaker, checkpoints, content, monotonic }
  return new SqliteMetadata({ ...parts, resources: resources.move() })
}

/** Resolves a link, because SQLite creates the log next to the file itself, not next to a link to it. */
async function followLink(file: string): Promise<string> {
  const found = await lstat(file).catch(() => undefined)
  return found?.isSymbolicLink() === true ? await realpath(file).catch(() => file) : file
}

async function readDatabaseSize({ kysely }: SqliteConnection): Promise<number> {
  const query = sql<{ size: number }>`select page_count * page_size as size
    from pragma_page_count(), pragma_page_size()`
  const { rows } = await query.execute(kysely)
  return rows[0]?.size ?? Number.POSITIVE_INFINITY
}

async function upgrade(tx: Transaction, { clock, inspect }: SqliteMetadataOptions): Promise<void> {
  await inspect?.(tx)
  await migrate(tx, clock.now())
}

interface SqliteMetadataParts {
  readonly reader: SqliteConnection
  readonly writer: SqliteConnection
  readonly barrier: Barrier
  readonly breaker: Breaker
  readonly monotonic: Clock
  readonly checkpoints: Checkpoints
  readonly content: SqliteIdentity
  readonly resources: AsyncDisposableStack
}

class SqliteMetadata implements Metadata {
  readonly dialect = 'sqlite'
  readonly reader: Reader
  readonly #parts: SqliteMetadataParts
  readonly #commits: GroupCommit
  #closed = false

  constructor(parts: SqliteMetadataParts) {
    this.#parts = parts
    const { writer } = parts
    this.#commits = new GroupCommit(
      { ...writer.savepoints, transact: (work) => transactOn(writer, work) },
      parts.monotonic,
    )
    this.reader = createReader({
      dialect: 'sqlite',
      kysely: parts.reader.kysely,
      templates: parts.reader.templates,
    })
  }

  async transact<T>(work: (tx: Transaction) => Promise<T>, options: TransactOptions = {}): Promise<T> {
    this.#assertOpen()
    const { reader, checkpoints, barrier } = this.#parts
    const result = await this.#commits.run(work)
    reader.endSnapshot()
    checkpoints.noteCommit()
    // Also if nothing was written: the work may have read another transaction's commit that is not durable yet.
    if (options.durable !== false) await barrier.wait()
    return result
  }

  async flush(): Promise<void> {
    this.#assertOpen()
    await this.#parts.barrier.wait()
  }

  onRightsChange(): void {
    // Nothing to do: every turn of the event loop reads the version of the rights directly.
  }

  expectInstallation(id: string): void {
    this.#parts.content.expect(id)
  }

  async ping(): Promise<void> {
    this.#assertOpen()
    await sql`select 1 from schema_migration limit 1`.execute(this.#parts.reader.kysely)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    // The last transaction calls the barrier before `idle` resolves, so this wait ends after that one.
    await this.#commits.idle()
    await Promise.allSettled([this.#parts.barrier.wait()])
    await this.#parts.resources.disposeAsync()
  }

  #assertOpen(): void {
    if (this.#closed) throw new MetadataUnavailable('the metadata database is closed', { retryable: false })
    this.#parts.breaker.assertIntact()
  }
}

function openConnection(
  resources: AsyncDisposableStack,
  options: Parameters<typeof openSqliteConnection>[0],
): SqliteConnection {
  return resources.adopt(openSqliteConnection(options), (connection) => connection.close())
}

function configure(connection: SqliteConnection): void {
  connection.exec(`pragma cache_size = -${cacheKibibytes}; pragma temp_store = memory`)
}

function transactOn<T>(connection: SqliteConnection, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return connection.kysely
    .transaction()
    .execute((kysely) =>
      work(createTransaction({ dialect: 'sqlite', kysely, templates: connection.templates })),
    )
}

/** Syncs the folder and its parent: the names of new files, and of a new folder, must survive a power cut. */
async function syncDirectories(file: string): Promise<void> {
  const folder = dirname(file)
  for (const path of [folder, dirname(folder)]) {
    await using handle = await open(path, 'r')
    await handle.sync()
  }
}

/**
 * Creates the file so that only its owner can read it: it contains password hashes and signing keys. SQLite gives `-wal`
 * and `-shm` the mode of the file. Closing the descriptor drops no locks, since this process has none on a new file.
 * Throws `MetadataUnavailable` for a log without its database.
 */
async function createPrivately(file: string): Promise<void> {
  await refuseLogAlone(file)
  try {
    await using _created = await open(file, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/**
 * Throws `MetadataUnavailable` for a log without its database, or next to an empty file: it is the rest of a lost database, and
 * SQLite would delete or restart it.
 */
export async function refuseLogAlone(file: string): Promise<void> {
  if (!(await isNewSqliteFile(file))) return
  const log = `${file}-wal`
  const found = await stat(log).catch(() => undefined)
  if (found === undefined || found.size === 0) return
  // Another process that creates the database may have written to it by now.
  if (!(await isNewSqliteFile(file))) return
  throw new MetadataUnavailable(
    `${file} is missing or empty, but its log ${log} exists and may contain the last writes; put the database file back, or move the log away to start with an empty database`,
    { retryable: false },
  )
}
