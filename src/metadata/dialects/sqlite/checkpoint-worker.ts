/** The thread that moves committed pages from the log into the database file; `sqlite-checkpoints.ts` starts it. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin, windows do */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { CheckpointReply, CheckpointRequest, CheckpointWorkerData } from './checkpoints.ts'
import { fatalKindOf, isBusy, translateSqliteError } from './errors.ts'
import { existingFile } from './path.ts'

// 4 MiB, as SQLite's own automatic checkpoints.
const pagesWorthAPass = 1_000
// 64 MiB: writers come so densely that a pass never reaches the end of the log. The file is cut to this size when it is begun again.
const pagesWorthStoppingWriters = 16_384
const logSizeLimitBytes = pagesWorthStoppingWriters * 4_096
// How long writers and readers may be waited for, on this thread; writers of others try again meanwhile.
const patienceMs = 250

interface LogState {
  readonly log: number
  readonly checkpointed: number
}

const { file, inode } = workerData as CheckpointWorkerData
/** Moves the pages, and begins the log again. */
const database = open()
/** Keeps a snapshot meanwhile: a log that somebody reads is not begun again by a writer, but grows. */
const guard = open()
/** Keeps writers away while a log that has grown too long is moved. */
const stopper = open()
database.exec(`pragma journal_size_limit = ${logSizeLimitBytes}`)

parentPort?.on('message', (request: CheckpointRequest) => {
  if (request === 'close') {
    for (const connection of [stopper, guard, database]) connection.close()
    parentPort?.close()
    return
  }
  parentPort?.postMessage(checkpoint())
})

/** A database that took the place of the file would get this one's log: from a connection's first statement or its close on. */
function open(): DatabaseSync {
  const connection = new DatabaseSync(existingFile(file), { timeout: patienceMs })
  // The connection holds the file by now, and has not looked at the log.
  if (statSync(file, { bigint: true }).ino !== inode)
    throw new Error(`${file} is not the file that the registry opened`)
  connection.exec('pragma synchronous = normal')
  return connection
}

function checkpoint(): CheckpointReply {
  try {
    const { log, checkpointed } = runCheckpoint('noop')
    if (log - checkpointed < pagesWorthAPass) return { kind: 'done' }
    const state = log > pagesWorthStoppingWriters ? moveWithoutWriters() : move()
    if (state.checkpointed === state.log) restartLog()
    return { kind: 'done' }
  } catch (error) {
    // A writer or a reader did not let go in time: the next commits ask again.
    if (isBusy(translateSqliteError(error))) return { kind: 'done' }
    return { kind: 'failed', error, fatal: fatalKindOf(error) }
  } finally {
    for (const connection of [stopper, guard, database]) endTransaction(connection)
  }
}

/** Moves what is committed by now. The guard stays. */
function move(): LogState {
  guard.exec('begin')
  guard.prepare('select count(*) from sqlite_schema').get()
  return runCheckpoint('passive')
}

function moveWithoutWriters(): LogState {
  stopper.exec('begin immediate')
  const state = move()
  endTransaction(stopper)
  return state
}

/**
 * Makes the first write into a log whose pages are all moved: it syncs the new head of the log, which on a busy disk takes
 * seconds, and a commit that did it would hold up the event loop. The guard leaves when writers are kept away. If one came in
 * between, the log just grows, and is begun again another time.
 */
function restartLog(): void {
  const row = database.prepare('pragma user_version').get()
  database.exec('begin immediate')
  endTransaction(guard)
  database.exec(`pragma user_version = ${Number(row?.['user_version'])}; commit`)
}

function endTransaction(connection: DatabaseSync): void {
  if (connection.isTransaction) connection.exec('rollback')
}

/** A checkpoint that meets another one, or readers, does less and says so; that is no error. */
function runCheckpoint(mode: 'noop' | 'passive'): LogState {
  return database.prepare(`pragma wal_checkpoint(${mode})`).get() as unknown as LogState
}
