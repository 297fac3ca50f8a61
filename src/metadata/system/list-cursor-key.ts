/** The key that seals the cursors of lists. The migration creates it; it is the same for every process. */
import type { Reader } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

/** Returns the key, a text with at least 240 random bits. */
export async function getListCursorKey(db: Reader): Promise<string> {
  const row = await kyselyOf(db)
    .selectFrom('list_cursor_key')
    .select('key')
    .where('singleton', '=', 1)
    .executeTakeFirstOrThrow()
  return row.key
}
