/**
 * @module Fills the database of a stopped registry with millions of rows: pushing them would take hours, and requests see no
 * difference. Digests are random, and a layer is a file of one byte; content that a row of the proof reads in full is real.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { LoopSizes } from './sizes.ts'

export const subject = `sha256:${'5'.repeat(64)}`
export const manyTagsDigest = `sha256:${'7'.repeat(64)}`

const imageType = 'application/vnd.oci.image.manifest.v1+json'
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'
/** The start of the storage keys of layers, which are all in one folder of the store. */
const layerKeyStart = `10${'0'.repeat(18)}`
/** The storage key of layer `n`, in SQL. */
const layerKey = `'${layerKeyStart}' || printf('%012x', n)`
const randomDigest = `'sha256:' || lower(hex(randomblob(32)))`

/** The names of the repositories and owners that the rows of the proof use. */
export const names = {
  tags: 'big/tags',
  referrers: 'big/referrers',
  annotated: 'big/annotated',
  layers: 'big/layers',
  put: 'big/put',
  manifest: 'big/manifest',
  blobs: 'big/blobs',
  manyTags: 'big/many-tags',
  grants: 'granting',
  purged: 'purged',
  user: 'me',
} as const

/** Fills the database. Returns the digests of the layers in `names.put`. */
export function seedRows(dataDir: string, sizes: LoopSizes): string[] {
  using database = new DatabaseSync(join(dataDir, 'lading.db'))
  // Durability does not matter: if this fails, the data is discarded.
  database.exec('pragma synchronous = off; pragma cache_size = -400000; pragma temp_store = memory')
  database.exec('pragma journal_mode = off; begin')
  seedRepositories(database, sizes)
  seedTags(database, sizes)
  seedReferrers(database, sizes)
  seedLargeManifest(database, sizes)
  seedLayers(database, sizes)
  seedPeople(database, sizes)
  seedPurged(database, sizes)
  seedAudit(database, sizes)
  database.exec('commit; pragma journal_mode = wal')
  writeLayerFiles(database, join(dataDir, 'store/blobs/10'))
  const layers = database.prepare(`select digest from blob_link where repository_id = ${idOf(names.put)}`)
  return layers.all().map(({ digest }) => String(digest))
}

function numbers(count: number): string {
  return `with recursive number (n) as (select 1 union all select n + 1 from number where n < ${count})`
}

function idOf(repository: string): string {
  return `(select id from repository where name = '${repository}')`
}

function seedRepositories(database: DatabaseSync, sizes: LoopSizes): void {
  const columns = '(owner_id, name, visibility, created_at)'
  database.exec(`
    insert into owner (name, kind, visibility, created_at)
      ${numbers(sizes.owners)} select printf('org-%06d', n), 'organization', iif(n % 2, 'public', 'private'), 1 from number;
    insert into owner (name, kind, visibility, created_at) values
      ('big', 'organization', 'public', 1), ('${names.grants}', 'organization', 'private', 1),
      ('${names.purged}', 'organization', 'public', 1)
      on conflict (name) do nothing;
    insert into repository ${columns}
      ${numbers(sizes.repositoriesPerOwner)}
      select owner.id, owner.name || printf('/repo-%03d', n), iif(n % 2, 'public', 'private'), 1
      from owner, number where owner.name like 'org-%';
    insert into repository ${columns}
      ${numbers(sizes.longNames)}
      select id, name || '/' || printf('${'a'.repeat(220)}%06d', n), 'private', 1
      from owner, number where name = '${names.user}';
    insert into repository ${columns}
      ${numbers(sizes.purgedRepositories)}
      select id, name || printf('/repo-%06d', n), 'public', 1 from owner, number where name = '${names.purged}'`)
  const big = Object.values(names).filter((name) => name.startsWith('big/'))
  for (const name of big) {
    database.exec(`insert into repository ${columns}
      select id, '${name}', 'public', 1 from owner where name = 'big' on conflict (name) do update set visibility = 'public'`)
  }
}

interface Rows {
  readonly repository: string
  /** A SELECT with the columns digest, descriptor and subject. */
  readonly select: string
  readonly bytes?: string
}

function insertManifests(database: DatabaseSync, { repository, select, bytes = `x'7b7d'` }: Rows): void {
  database.exec(`
    create temp table incoming (digest text, descriptor text, subject text);
    insert into incoming ${select};
    insert into manifest_content (digest, bytes) select digest, ${bytes} from incoming;
    insert into manifest (repository_id, digest, media_type, artifact_type, subject_digest, size, pushed_by,
        created_at, pushed_at, descriptor)
      select ${repository}, digest, '${imageType}', 'application/x', subject, 2, 'anonymous', 1, 1, descriptor
      from incoming;
    drop table incoming`)
}

function seedTags(database: DatabaseSync, sizes: LoopSizes): void {
  const tag = (repository: string, count: number): void =>
    database.exec(`insert into tag (repository_id, name, digest, created_at, updated_at)
      ${numbers(count)} select ${repository}, printf('v%08d', n), digest, 1, 1
      from number, (select digest from manifest where repository_id = ${repository} limit 1)`)
  insertManifests(database, {
    repository: idOf(names.tags),
    select: `select ${randomDigest}, '{}', null`,
  })
  tag(idOf(names.tags), sizes.tags)
  insertManifests(database, {
    repository: idOf(names.manyTags),
    select: `select '${manyTagsDigest}', '{}', null`,
  })
  tag(idOf(names.manyTags), sizes.tagsOfOneManifest)
}

function seedReferrers(database: DatabaseSync, sizes: LoopSizes): void {
  const descriptor = (annotation: string): string =>
    `json_object('mediaType', '${imageType}', 'digest', '${subject}', 'size', 2,
      'annotations', json_object('a', ${annotation}))`
  insertManifests(database, {
    repository: idOf(names.referrers),
    select: `${numbers(sizes.referrers)} select ${randomDigest}, ${descriptor(`'x'`)}, '${subject}' from number`,
  })
  insertManifests(database, {
    repository: idOf(names.annotated),
    select: `${numbers(sizes.annotatedReferrers)} select ${randomDigest},
      ${descriptor(`hex(zeroblob(${Math.floor(sizes.annotationBytes / 2)}))`)}, '${subject}' from number`,
  })
}

/** Adds a large manifest whose bytes match its digest, since clients may check it. */
function seedLargeManifest(database: DatabaseSync, sizes: LoopSizes): void {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: subject, size: 2 }
  const annotations = { a: 'x'.repeat(sizes.largeManifestBytes - 500) }
  const document = { schemaVersion: 2, mediaType: imageType, config, layers: [], annotations }
  const bytes = Buffer.from(JSON.stringify(document))
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  insertManifests(database, { repository: idOf(names.manifest), select: `select '${digest}', '{}', null` })
  database.prepare('update manifest_content set bytes = ? where digest = ?').run(bytes, digest)
  database.prepare('update manifest set size = ? where digest = ?').run(bytes.length, digest)
  database.exec(`insert into tag (repository_id, name, digest, created_at, updated_at)
    select repository_id, 'v1', digest, 1, 1 from manifest where digest = '${digest}'`)
}

function seedLayers(database: DatabaseSync, sizes: LoopSizes): void {
  const blobs = `select digest from blob where storage_key like '${layerKeyStart}%'`
  database.exec(`insert into blob (digest, storage_key, size, created_at, linked)
    ${numbers(sizes.layersPerManifest)}
    select ${randomDigest}, ${layerKey}, 1, ${Date.now()}, 1 from number`)
  for (const repository of [names.layers, names.put]) {
    database.exec(`insert into blob_link (repository_id, digest, linked_at, state)
      select ${idOf(repository)}, digest, 1, 'live' from (${blobs})`)
  }
  const repository = idOf(names.layers)
  insertManifests(database, {
    repository,
    select: `${numbers(sizes.layeredManifests)} select ${randomDigest}, '{}', null from number`,
  })
  database.exec(`insert into manifest_blob (repository_id, manifest_id, position, blob_digest, role, media_type, size)
    select manifest.repository_id, manifest.id, layer.position, layer.digest, 'layer', '${layerType}', 1
    from manifest, (select row_number() over (order by storage_key) as position, digest
      from blob where storage_key like '${layerKeyStart}%') as layer
    where manifest.repository_id = ${repository}`)
}

function writeLayerFiles(database: DatabaseSync, folder: string): void {
  const layers = database.prepare(
    `select storage_key, digest from blob where storage_key like '${layerKeyStart}%'`,
  )
  for (const { storage_key: key, digest } of layers.all()) {
    writeFileSync(join(folder, `${String(key)}_${String(digest).replace(':', '-')}`), 'x')
  }
}

function seedPeople(database: DatabaseSync, sizes: LoopSizes): void {
  database.exec(`
    insert into account (name, password_hash, is_admin, disabled, credential_version, created_at, password_set_at)
      ${numbers(sizes.grants)} select printf('user-%06d', n), '-', 0, 0, 1, 0, 0 from number;
    insert into access_grant (owner_id, pattern, role_id, principal_kind, principal_id, created_at, created_by)
      ${numbers(sizes.grants)}
      select owner.id, '*' || printf('${'a'.repeat(100)}b%d', n), role.id, 'account', account.id, 0, 'loop'
      from number, owner, role, account
      where owner.name = '${names.grants}' and role.name = 'reader' and account.name = printf('user-%06d', n);
    insert into access_token (account_id, name, token_hash, hint, created_at, created_by)
      ${numbers(sizes.grants)}
      select account.id, 'token-' || n, 'hash-' || n, 'hint', 1, 'loop'
      from number, account where account.name = '${names.user}';
    update rights_version set version = version + 1`)
}

function seedPurged(database: DatabaseSync, sizes: LoopSizes): void {
  const purged = `select id from repository where name like '${names.purged}/%'`
  database.exec(`
    create temp table pushed as select id as repository_id, ${randomDigest} as digest from (${purged});
    insert into manifest_content (digest, bytes) select digest, x'7b7d' from pushed;
    insert into manifest (repository_id, digest, media_type, size, pushed_by, created_at, pushed_at, descriptor)
      select repository_id, digest, '${imageType}', 2, 'anonymous', 1, 1, '{}' from pushed;
    insert into tag (repository_id, name, digest, created_at, updated_at)
      ${numbers(5)} select repository_id, 'v' || n, digest, 1, 1 from pushed, number;
    drop table pushed;
    insert into blob_link (repository_id, digest, linked_at, state)
      ${numbers(Math.min(5, sizes.layersPerManifest))} select repository.id, blob.digest, 1, 'live'
      from (${purged}) as repository, number, blob where blob.storage_key = ${layerKey}`)
}

function seedAudit(database: DatabaseSync, sizes: LoopSizes): void {
  database.exec(`insert into audit_event (at, action, outcome, actor, actor_name, credential, target_kind, target,
      target_owner, address, client, request_id, detail)
    ${numbers(sizes.auditEvents)}
    select ${Date.now()} - ${sizes.auditEvents} + n, iif(n % 100000 = 1, 'user.create', 'tag.move'), 'done',
      'user:' || (n % 50), 'user-' || (n % 50), 'password', 'repository', 'org-' || (n % 1000) || '/web',
      'org-' || (n % 1000), '192.0.2.1', 'docker/29.0', 'r-' || n,
      '{"tag":"v1","digest":"${subject}","before":"${subject}"}'
    from number`)
}
