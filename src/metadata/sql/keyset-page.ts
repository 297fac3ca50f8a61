/** Pages of lists: the rows after a key, in the order of the key. They need an index that ends with the key. */
import { sql } from 'kysely'
import type { Expression, SelectQueryBuilder, SqlBool, StringReference } from 'kysely'

interface Page<Key> {
  /** The last key of the previous page (exclusive). */
  readonly after?: Key | Expression<Key> | undefined
  readonly limit: number | Expression<number>
}

/** Continues in byte order after a name; the first page has no `after`. */
export function pageByName<DB, Tables extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, Tables, Row>,
  column: StringReference<DB, Tables>,
  { after = '', limit }: Page<string>,
): SelectQueryBuilder<DB, Tables, Row> {
  return pageAfter(query, sql.ref(column), { after, limit })
}

/** Continues after an id, the oldest rows first; the first page has no `after`. */
export function pageById<DB, Tables extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, Tables, Row>,
  column: StringReference<DB, Tables>,
  { after = 0, limit }: Page<number>,
): SelectQueryBuilder<DB, Tables, Row> {
  return pageAfter(query, sql.ref(column), { after, limit })
}

function pageAfter<DB, Tables extends keyof DB, Row>(
  query: SelectQueryBuilder<DB, Tables, Row>,
  column: Expression<unknown>,
  { after, limit }: Page<string | number>,
): SelectQueryBuilder<DB, Tables, Row> {
  return query
    .where(sql<SqlBool>`${column} > ${after}`)
    .orderBy(column)
    .limit(limit)
}
