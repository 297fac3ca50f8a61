/** Tags are names of a repository's manifests, case-sensitive and listed in byte order. */
import type { Digest } from '../../oci/digest.ts'
import type { TagName } from '../../oci/tag-name.ts'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import { compileOnce } from '../sql/compile-once.ts'
import { kyselyOf } from '../sql/database.ts'
import { pageByName } from '../sql/keyset-page.ts'

export interface TagKey {
  readonly repositoryId: number
  readonly name: TagName
}

const tagNames = compileOnce<{ repositoryId: number; after: string; limit: number }, { name: string }>(
  ({ kysely, parameter }) =>
    pageByName(
      kysely.selectFrom('tag').select('name').where('repository_id', '=', parameter('repositoryId')),
      'name',
      { after: parameter('after'), limit: parameter('limit') },
    ),
)

const lockedTag = compileOnce<TagKey, { digest: string }>(({ kysely, dialect, parameter }) => {
  const query = kysely
    .selectFrom('tag')
    .select('digest')
    .where('repository_id', '=', parameter('repositoryId'))
    .where('name', '=', parameter('name'))
  return dialect === 'postgres' ? query.forUpdate() : query
})

const tagInsert = compileOnce<TagKey & { digest: string; now: number }, { name: string }>(
  ({ kysely, parameter }) =>
    kysely
      .insertInto('tag')
      .values({
        repository_id: parameter('repositoryId'),
        name: parameter('name'),
        digest: parameter('digest'),
        created_at: parameter('now'),
        updated_at: parameter('now'),
      })
      .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doNothing())
      .returning('name'),
)

const tagUpdate = compileOnce<TagKey & { digest: string; now: number }, object>(({ kysely, parameter }) =>
  kysely
    .updateTable('tag')
    .set({ digest: parameter('digest'), updated_at: parameter('now') })
    .where('repository_id', '=', parameter('repositoryId'))
    .where('name', '=', parameter('name')),
)

/** Locks an existing tag: other transactions cannot change it until this one ends. */
export async function lockTag(tx: Transaction, options: TagKey): Promise<{ digest: Digest } | undefined> {
  const row = await lockedTag.first(tx, options)
  return row === undefined ? undefined : { digest: row.digest as Digest }
}

/** Points the tag at a manifest of the repository; `before` is exact even if several writers race. */
export async function putTag(
  tx: Transaction,
  options: TagKey & { readonly digest: Digest; readonly now: number },
): Promise<{ before: Digest | undefined }> {
  const existing = (await lockTag(tx, options)) ?? (await insertTag(tx, options))
  if (existing === undefined) return { before: undefined }
  await tagUpdate.all(tx, options)
  return { before: existing.digest }
}

export async function deleteTag(tx: Transaction, options: TagKey): Promise<{ before: Digest } | undefined> {
  const row = await kyselyOf(tx)
    .deleteFrom('tag')
    .where('repository_id', '=', options.repositoryId)
    .where('name', '=', options.name)
    .returning('digest')
    .executeTakeFirst()
  return row === undefined ? undefined : { before: row.digest as Digest }
}

/** Lists names in byte order, after `after` (exclusive). */
export async function listTags(
  db: Reader,
  page: { readonly repositoryId: number; readonly after?: string | undefined; readonly limit: number },
): Promise<TagName[]> {
  const { repositoryId, after = '', limit } = page
  const rows = await tagNames.all(db, { repositoryId, after, limit })
  return rows.map((row) => row.name as TagName)
}

/** Inserts a tag. If another transaction inserted it first, locks and returns that tag; otherwise returns `undefined`. */
async function insertTag(
  tx: Transaction,
  options: TagKey & { readonly digest: Digest; readonly now: number },
): Promise<{ digest: Digest } | undefined> {
  const inserted = await tagInsert.all(tx, options)
  if (inserted.length > 0) return undefined
  const other = await lockTag(tx, options)
  if (other === undefined)
    throw new Conflict(`tag ${options.name} was deleted by another transaction while it was set`)
  return other
}
