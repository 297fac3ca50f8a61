/** A reader that counts the results of its compiled queries, for tests of how much a list reads. */
import type { Reader } from '../handles.ts'
import { createReader, databaseOf } from '../sql/database.ts'
import type { Database } from '../sql/database.ts'

export interface ReadCounts {
  queries: number
  rows: number
  /** The rows of the query that returned most. */
  mostRows: number
  /** The characters of all texts. */
  characters: number
}

/** Creates a counting reader for SQLite, where rows come at once. */
export function countingReader(reader: Reader): { readonly counts: ReadCounts; readonly reader: Reader } {
  const database = databaseOf(reader)
  const counts = { queries: 0, rows: 0, mostRows: 0, characters: 0 }
  const templates: Database['templates'] = {
    all(template, parameters) {
      const rows = database.templates.all(template, parameters) as Record<string, unknown>[]
      const texts = rows.flatMap((row) => Object.values(row)).filter((value) => typeof value === 'string')
      counts.queries += 1
      counts.rows += rows.length
      counts.mostRows = Math.max(counts.mostRows, rows.length)
      counts.characters += texts.reduce((sum, text) => sum + text.length, 0)
      return rows
    },
    first: (template, parameters) => database.templates.first(template, parameters),
  }
  return { counts, reader: createReader({ ...database, templates }) }
}
