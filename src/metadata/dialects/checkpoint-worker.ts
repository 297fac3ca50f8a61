/** The thread that moves committed pages from the log into the database file; `sqlite-checkpoints.ts` starts it. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin, windows do */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { CheckpointReply, CheckpointRequest, CheckpointWorkerData } from './sqlite-checkpoints.ts'
import { fatalKindOf, isBusy, translateSqliteError } from './sqlite-errors.ts'
import { existingFile } from './sqlite-path.ts'

// 4 MiB, as SQLite's own automatic checkpoints.
const pagesWorthAPass = 1_000
// 64 MiB: writers come so densely that a passive pass never reaches the end of the log.
const pagesWorthStoppingWriters = 16_384
// How long writers and readers may be waited for, on this thread; writers of others try again meanwhile.
const patienceMs = 250

interface LogState {
  readonly log: number
  readonly checkpointed: number
}

const { file } = workerData as CheckpointWorkerData
const database = new DatabaseSync(existingFile(file), { timeout: patienceMs })
database.exec('pragma synchronous = normal')

parentPort?.on('message', (request: CheckpointRequest) => {
  if (request === 'close') {
    database.close()
    parentPort?.close()
    return
  }
  parentPort?.postMessage(checkpoint())
})

function checkpoint(): CheckpointReply {
  try {
    const { log, checkpointed } = runCheckpoint('noop')
    if (log - checkpointed < pagesWorthAPass) return { kind: 'done' }
    let state = runCheckpoint('passive')
    if (state.log > pagesWorthStoppingWriters && state.checkpointed < state.log)
      state = runCheckpoint('truncate')
    if (state.checkpointed === state.log) restartLog()
    return { kind: 'done' }
  } catch (error) {
    return { kind: 'failed', error, fatal: fatalKindOf(error) }
  }
}

/** A checkpoint that meets another one, or readers, does less and says so; that is no error. */
function runCheckpoint(mode: 'noop' | 'passive' | 'truncate'): LogState {
  return database.prepare(`pragma wal_checkpoint(${mode})`).get() as unknown as LogState
}

/**
 * Makes the first write into a log that is done with: it syncs the new head of the log, which on a busy disk takes a second,
 * and otherwise the next commit would do that on the event loop. A writer that comes first does it itself.
 */
function restartLog(): void {
  const row = database.prepare('pragma user_version').get()
  try {
    database.exec(`pragma user_version = ${Number(row?.['user_version'])}`)
  } catch (error) {
    if (!isBusy(translateSqliteError(error))) throw error
  }
}
