/**
 * @module What room the log of a running registry's SQLite database has of its own, which decides whether a full disk
 * stops the next commit or only a later one. Both states are those of any registry: the first after its start and
 * whenever the log was cut off, the second between two checkpoints. Nothing of the database's content changes.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const stretchedBytes = 1024 * 1024

/** Cuts the log to nothing: the next commit needs new blocks. */
export function cutLog(dataDir: string): void {
  using database = openDatabase(dataDir)
  const { busy } = database.prepare('pragma wal_checkpoint(truncate)').get() ?? {}
  if (busy !== 0) throw new Error('the log could not be cut off: its readers or writers did not pause')
}

/** Gives the log a megabyte of blocks that no commit has used yet: the next ones need none. */
export function stretchLog(dataDir: string): void {
  using database = openDatabase(dataDir)
  // Pages that leave the cache go into the log, and stay there as free room when their transaction is rolled back.
  database.exec('pragma cache_size = 1; begin immediate; create table stretch (bytes blob)')
  database.prepare('insert into stretch values (zeroblob(?))').run(stretchedBytes)
  database.exec('rollback')
}

function openDatabase(dataDir: string): DatabaseSync {
  return new DatabaseSync(join(dataDir, 'lading.db'), { timeout: 5_000 })
}
