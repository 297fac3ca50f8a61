/** The thread that moves committed pages from the log into the database file; `checkpoints.ts` starts it. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin, windows do */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { CheckpointReply, CheckpointRequest, CheckpointWorkerData } from './checkpoints.ts'
import { fatalKindOf, isBusy, translateSqliteError } from './errors.ts'
import { existingFile } from './files/path.ts'

// 4 MiB, like SQLite's own automatic checkpoints.
const minPagesPerCheckpoint = 1_000
// 64 MiB. At this size, writes are so frequent that a checkpoint never reaches the end of the log. The file is truncated
// to this size when the log restarts.
const maxPagesBesideWriters = 16_384
const logSizeLimitBytes = maxPagesBesideWriters * 4_096
// The longest wait for writers and readers. It happens on this thread; writers elsewhere retry in the meantime.
const patienceMs = 250

interface LogState {
  readonly log: number
  readonly checkpointed: number
}

const { file, inode } = workerData as CheckpointWorkerData
/** Moves the pages and restarts the log. */
const database = open()
/** Keeps a snapshot during a checkpoint: while the log has a reader, a writer cannot restart it, and it grows instead. */
const guard = open()
/** Keeps writers away while an overlong log is moved. */
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

/**
 * Opens the file, and throws if it was replaced: the first statement of a connection, or its close, would write this log
 * into the other database.
 */
function open(): DatabaseSync {
  const connection = new DatabaseSync(existingFile(file), { timeout: patienceMs })
  // The connection now has the file open, and has not read the log yet.
  if (statSync(file, { bigint: true }).ino !== inode)
    throw new Error(`${file} is not the file that the registry opened`)
  connection.exec('pragma synchronous = normal')
  return connection
}

function checkpoint(): CheckpointReply {
  try {
    const { log, checkpointed } = runCheckpoint('noop')
    if (log - checkpointed < minPagesPerCheckpoint) return { kind: 'done' }
    const state = log > maxPagesBesideWriters ? moveWithoutWriters() : move()
    if (state.checkpointed === state.log) restartLog()
    return { kind: 'done' }
  } catch (error) {
    // A writer or a reader did not finish in time. The next commits request another checkpoint.
    if (isBusy(translateSqliteError(error))) return { kind: 'done' }
    return { kind: 'failed', error, fatal: fatalKindOf(error) }
  } finally {
    for (const connection of [stopper, guard, database]) endTransaction(connection)
  }
}

/** Moves the pages committed so far. The guard keeps its snapshot. */
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
 * Makes the first write into a log whose pages are all moved. This write syncs the new header of the log, which takes seconds on
 * a busy disk; a commit that did it would block the event loop. The guard ends its snapshot once writers are locked out. If a
 * writer committed in the meantime, the log grows and is restarted by a later checkpoint.
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

/** Runs a checkpoint. If it meets another checkpoint or readers, it moves fewer pages and reports that, without an error. */
function runCheckpoint(mode: 'noop' | 'passive'): LogState {
  return database.prepare(`pragma wal_checkpoint(${mode})`).get() as unknown as LogState
}
