/** Reads the paged lists of the services. */
import { misuse } from '../frame/command.ts'

const pageSize = 500

/** Yields all rows of a paged list. Each page starts after the key of the last row of the previous page. */
export async function* listPages<Row, Key>(
  list: (after: Key | undefined, limit: number) => Promise<readonly Row[]>,
  keyOf: (row: Row) => Key,
): AsyncGenerator<Row> {
  let after: Key | undefined
  for (;;) {
    const page = await list(after, pageSize)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return
    after = keyOf(last)
  }
}

/** Parses an id. Throws `CliError`. */
export function parseId(text = ''): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw misuse(`${text} is not an id; the list command shows the ids`)
}
