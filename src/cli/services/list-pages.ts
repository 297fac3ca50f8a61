/** What commands that list and change many rows have in common. */
import { CliError, misused } from '../frame/command.ts'

const pageSize = 500

/** Help for the commands that take a pattern below an owner. */
export const belowOwner =
  'The repositories are a pattern below the owner: "**" for all, "web/**" for a part. A pattern does not repeat the name of the owner; "./acme/web" below acme is acme/acme/web.'

/** All rows of a list that comes in pages, each after the key of the last row before. */
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

export function parseId(text = ''): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new CliError(`${text} is no id: the ids are in the list`, { exitCode: misused })
}
