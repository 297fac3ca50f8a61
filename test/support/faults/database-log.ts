/**
 * @module The unused space in the log of a running registry's SQLite database, which decides whether a full disk stops the next
 * commit or only a later one. Every registry meets both states: no space after its start and after each truncation of the log,
 * some space between two checkpoints. The content of the database does not change.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const stretchedBytes = 1024 * 1024

/** Truncates the log: the next commit needs new blocks. */
export function cutLog(dataDir: string): void {
  using database = openDatabase(dataDir)
  const { busy } = database.prepare('pragma wal_checkpoint(truncate)').get() ?? {}
  if (busy !== 0) throw new Error('the log could not be cut off: its readers or writers did not pause')
}

/** Adds a megabyte of unused blocks to the log: the next commits need no new ones. */
export function stretchLog(dataDir: string): void {
  using database = openDatabase(dataDir)
  // Pages that leave the cache are written to the log, and stay there as free space when their transaction is rolled back.
  database.exec('pragma cache_size = 1; begin immediate; create table stretch (bytes blob)')
  database.prepare('insert into stretch values (zeroblob(?))').run(stretchedBytes)
  database.exec('rollback')
}

function openDatabase(dataDir: string): DatabaseSync {
  return new DatabaseSync(join(dataDir, 'lading.db'), { timeout: 5_000 })
}
