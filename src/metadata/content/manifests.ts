/**
 * Manifests: one row per repository and digest, with its references; the bytes once per digest. Every pull calls
 * `findManifest`, so that it sees every push and deletion acknowledged before it.
 */
import { sql } from 'kysely'
import type { RawBuilder, Selectable } from 'kysely'
import type { Digest } from '../../oci/digest.ts'
import type { Property } from '../../oci/metadata/property.ts'
import type { Reference } from '../../oci/reference.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import { Conflict } from '../errors.ts'
import type { Reader, Transaction } from '../handles.ts'
import type { Visibility } from '../owners/schema.ts'
import type { Schema } from '../schema.ts'
import { chunks } from '../sql/chunks.ts'
import { compileInsert } from '../sql/compile-insert.ts'
import { compileOnce } from '../sql/compile-once.ts'
import type { TemplateInput } from '../sql/compile-once.ts'
import type { Dialect } from '../sql/database.ts'
import { databaseOf, isAnyOf, kyselyOf, listParameter } from '../sql/database.ts'
import { pause, rowsPerTurn } from '../sql/pause.ts'
import { storableOrNull, storableText } from '../sql/storable-text.ts'

export interface FoundManifest {
  readonly repositoryId: number
  readonly visibility: Visibility
  readonly id: number
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
}

export interface ManifestBlob {
  readonly digest: Digest
  readonly role: 'config' | 'layer' | 'entry'
  readonly mediaType: string
  readonly size: number
}

export interface ManifestChild {
  readonly digest: Digest
  readonly platform: string | undefined
}

export interface NewManifest {
  readonly repositoryId: number
  readonly digest: Digest
  readonly mediaType: string
  readonly artifactType: string | undefined
  readonly subject: Digest | undefined
  readonly size: number
  readonly platform: string | undefined
  readonly bytes: Uint8Array
  /** The JSON of the descriptor in the referrers list, ready to serve. */
  readonly descriptor: string
  readonly pushedBy: string
  readonly now: number
  readonly blobs: readonly ManifestBlob[]
  readonly children: readonly ManifestChild[]
  readonly properties: readonly Property[]
}

interface FoundRow {
  repository_id: number
  visibility: Visibility
  id: number
  digest: string
  media_type: string
  size: number
}

const manifestByTag = compileOnce<{ repository: string; tag: string }, FoundRow>((input) =>
  selectFound(input)
    .innerJoin('tag', (join) =>
      join.onRef('tag.repository_id', '=', 'repository.id').onRef('tag.digest', '=', 'manifest.digest'),
    )
    .where('repository.name', '=', input.parameter('repository'))
    .where('tag.name', '=', input.parameter('tag')),
)

const manifestByDigest = compileOnce<{ repository: string; digest: string }, FoundRow>((input) =>
  selectFound(input)
    .where('repository.name', '=', input.parameter('repository'))
    .where('manifest.digest', '=', input.parameter('digest')),
)

const contentByDigest = compileOnce<{ digest: string }, { bytes: Uint8Array }>(({ kysely, parameter }) =>
  kysely.selectFrom('manifest_content').select('bytes').where('digest', '=', parameter('digest')),
)

const contentSize = compileOnce<{ digest: string }, { size: number }>(({ kysely, dialect, parameter }) =>
  kysely
    .selectFrom('manifest_content')
    .select(byteCount(dialect).as('size'))
    .where('digest', '=', parameter('digest')),
)

const contentInsert = compileOnce<{ digest: string; bytes: Uint8Array }, { digest: string }>(
  ({ kysely, parameter }) =>
    kysely
      .insertInto('manifest_content')
      .values({ digest: parameter('digest'), bytes: parameter('bytes') })
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .returning('digest'),
)

const contentRepair = compileOnce<{ digest: string; bytes: Uint8Array; size: number }, object>(
  ({ kysely, dialect, parameter }) =>
    kysely
      .updateTable('manifest_content')
      .set({ bytes: parameter('bytes') })
      .where('digest', '=', parameter('digest'))
      .where(byteCount(dialect), '<>', parameter('size')),
)

/** Returns an expression for the length of the bytes; neither database reads the bytes for it. */
function byteCount(dialect: Dialect): RawBuilder<number> {
  return dialect === 'postgres' ? sql<number>`octet_length(bytes)` : sql<number>`length(bytes)`
}

const manifestInsert = compileOnce<Omit<Selectable<Schema['manifest']>, 'id'>, { id: number }>(
  ({ kysely, parameter }) =>
    kysely
      .insertInto('manifest')
      .values({
        repository_id: parameter('repository_id'),
        digest: parameter('digest'),
        media_type: parameter('media_type'),
        artifact_type: parameter('artifact_type'),
        subject_digest: parameter('subject_digest'),
        size: parameter('size'),
        platform: parameter('platform'),
        pushed_by: parameter('pushed_by'),
        created_at: parameter('created_at'),
        pushed_at: parameter('pushed_at'),
        descriptor: parameter('descriptor'),
      })
      .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
      .returning('id'),
)

const insertBlobs = compileInsert('manifest_blob', [
  'repository_id',
  'manifest_id',
  'position',
  'blob_digest',
  'role',
  'media_type',
  'size',
])

const insertChildren = compileInsert('manifest_child', [
  'repository_id',
  'index_id',
  'position',
  'child_digest',
  'platform',
])

const insertProperties = compileInsert('property', ['ref_type', 'ref_id', 'name', 'value'])

const presentManifests = compileOnce<
  { repositoryId: number; digests: unknown },
  { digest: string; size: number }
>(({ kysely, dialect, parameter }) =>
  kysely
    .selectFrom('manifest')
    .select(['digest', 'size'])
    .where('repository_id', '=', parameter('repositoryId'))
    .where(isAnyOf(dialect, 'digest', parameter('digests'))),
)

/** Returns the repository's current manifest, in one query. */
export async function findManifest(
  db: Reader,
  repository: RepositoryName,
  reference: Reference,
): Promise<FoundManifest | undefined> {
  const row =
    reference.kind === 'tag'
      ? await manifestByTag.first(db, { repository, tag: reference.tag })
      : await manifestByDigest.first(db, { repository, digest: reference.digest })
  if (row === undefined) return undefined
  return {
    repositoryId: row.repository_id,
    visibility: row.visibility,
    id: row.id,
    digest: row.digest as Digest,
    mediaType: row.media_type,
    size: row.size,
  }
}

/** Returns the bytes as pushed. This says nothing about who may see them: call `findManifest` first. */
export async function findManifestContent(db: Reader, digest: Digest): Promise<Uint8Array | undefined> {
  const row = await contentByDigest.first(db, { digest })
  return row?.bytes
}

/** Returns the number of stored bytes of the manifest; `undefined` if there are none. */
export async function findManifestSize(db: Reader, digest: Digest): Promise<number | undefined> {
  const row = await contentSize.first(db, { digest })
  return row?.size
}

/**
 * Inserts the manifest with everything that it references. A second push of the same digest updates the media type (and
 * the values derived from it), the pusher and the time, restores bytes that are missing or truncated, and keeps the
 * rest.
 */
export async function insertManifest(
  tx: Transaction,
  manifest: NewManifest,
): Promise<{ id: number; created: boolean }> {
  await insertContent(tx, manifest)
  const [inserted] = await manifestInsert.all(tx, {
    repository_id: manifest.repositoryId,
    digest: manifest.digest,
    subject_digest: manifest.subject ?? null,
    size: manifest.size,
    platform: storableOrNull(manifest.platform),
    created_at: manifest.now,
    ...pushColumns(manifest),
  })
  if (inserted === undefined) return { id: await renewManifest(tx, manifest), created: false }
  await insertDetails(tx, inserted.id, manifest)
  return { id: inserted.id, created: true }
}

async function insertContent(tx: Transaction, { digest, bytes }: NewManifest): Promise<void> {
  const inserted = await contentInsert.all(tx, { digest, bytes })
  if (inserted.length === 0) await contentRepair.all(tx, { digest, bytes, size: bytes.byteLength })
}

/** Returns the sizes of the given manifests that the repository has. */
export async function findManifestSizes(
  tx: Transaction,
  options: { readonly repositoryId: number; readonly digests: readonly Digest[] },
): Promise<ReadonlyMap<Digest, number>> {
  const { repositoryId } = options
  const asked = [...new Set(options.digests)]
  const found = new Map<Digest, number>()
  for (const [index, some] of [...chunks(asked, rowsPerTurn)].entries()) {
    if (index > 0) await pause(tx)
    const digests = listParameter(databaseOf(tx).dialect, some)
    const rows = await presentManifests.all(tx, { repositoryId, digests })
    for (const { digest, size } of rows) found.set(digest as Digest, size)
  }
  return found
}

function selectFound({ kysely }: Pick<TemplateInput<never>, 'kysely'>) {
  return kysely
    .selectFrom('repository')
    .innerJoin('manifest', 'manifest.repository_id', 'repository.id')
    .select([
      'manifest.repository_id',
      'repository.visibility',
      'manifest.id',
      'manifest.digest',
      'manifest.media_type',
      'manifest.size',
    ])
}

async function renewManifest(tx: Transaction, manifest: NewManifest): Promise<number> {
  const row = await kyselyOf(tx)
    .updateTable('manifest')
    .set(pushColumns(manifest))
    .where('repository_id', '=', manifest.repositoryId)
    .where('digest', '=', manifest.digest)
    .returning('id')
    .executeTakeFirst()
  if (row === undefined)
    throw new Conflict(`manifest ${manifest.digest} was deleted by another transaction while it was pushed`)
  return row.id
}

async function insertDetails(tx: Transaction, id: number, manifest: NewManifest): Promise<void> {
  const repository_id = manifest.repositoryId
  const blobs = manifest.blobs.map((blob, position) => ({
    repository_id,
    manifest_id: id,
    position,
    blob_digest: blob.digest,
    role: blob.role,
    media_type: storableText(blob.mediaType),
    size: blob.size,
  }))
  const children = manifest.children.map((child, position) => ({
    repository_id,
    index_id: id,
    position,
    child_digest: child.digest,
    platform: storableOrNull(child.platform),
  }))
  const properties = manifest.properties.map(({ name, value }) => ({
    ref_type: 'manifest' as const,
    ref_id: id,
    name: storableText(name),
    value: storableText(value),
  }))
  await insertBlobs(tx, blobs)
  await insertChildren(tx, children)
  await insertProperties(tx, properties)
}

function pushColumns(manifest: NewManifest) {
  return {
    media_type: manifest.mediaType,
    artifact_type: storableOrNull(manifest.artifactType),
    descriptor: manifest.descriptor,
    pushed_by: manifest.pushedBy,
    pushed_at: manifest.now,
  }
}
