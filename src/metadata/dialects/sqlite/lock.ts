/** A lock between the processes of one machine, by a file of SQLite's: the system releases it when its holder ends, however. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { isBusy, translateSqliteError } from './errors.ts'

/** Makes the file, and removes it on dispose. `undefined` while another holds the lock. Throws what SQLite throws. */
export function lockFile(file: string): AsyncDisposable | undefined {
  const database = new DatabaseSync(file, { timeout: 0 })
  let isHeld = false
  try {
    database.exec('begin exclusive')
    // Its last holder may have removed the file meanwhile; a third one would lock another.
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
