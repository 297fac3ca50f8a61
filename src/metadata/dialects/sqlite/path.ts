/** Names a database file to write that must exist: SQLite would make a missing one, and delete the log beside it. */
import { pathToFileURL } from 'node:url'

export function existingFile(file: string): URL {
  const url = pathToFileURL(file)
  url.searchParams.set('mode', 'rw')
  return url
}
