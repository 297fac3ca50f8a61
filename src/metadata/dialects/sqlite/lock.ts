/**
 * A lock between the processes of one machine, on a SQLite file. The system releases it when its holder ends, even by a
 * crash.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { isBusy, translateSqliteError } from './errors.ts'

/**
 * Creates the file, and removes it on dispose. Returns `undefined` while another process has the lock. Throws SQLite's
 * errors.
 */
export function lockFile(file: string): AsyncDisposable | undefined {
  const database = new DatabaseSync(file, { timeout: 0 })
  let isHeld = false
  try {
    database.exec('begin exclusive')
    // The last holder may have just removed the file; a third process would then lock a new one.
    isHeld = existsSync(file)
  } catch (error) {
    if (!isBusy(translateSqliteError(error))) throw error
  } finally {
    if (!isHeld) database.close()
  }
  if (!isHeld) return undefined
  return {
    async [Symbol.asyncDispose]() {
      await rm(file, { force: true })
      database.close()
    },
  }
}
