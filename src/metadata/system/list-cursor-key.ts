/** The key that cursors of lists are sealed with: made by the migration, the same for every process. */
import type { Reader } from '../handles.ts'
import { kyselyOf } from '../sql/database.ts'

/** Text of at least 240 random bits. */
export async function getListCursorKey(db: Reader): Promise<string> {
  const row = await kyselyOf(db)
    .selectFrom('list_cursor_key')
    .select('key')
    .where('singleton', '=', 1)
    .executeTakeFirstOrThrow()
  return row.key
}
