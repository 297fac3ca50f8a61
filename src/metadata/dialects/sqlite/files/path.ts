/**
 * Returns a URL that opens an existing file for writing. Given a path, SQLite would create a missing file and delete the log next
 * to it.
 */
import { pathToFileURL } from 'node:url'

export function existingFile(file: string): URL {
  const url = pathToFileURL(file)
  url.searchParams.set('mode', 'rw')
  return url
}
