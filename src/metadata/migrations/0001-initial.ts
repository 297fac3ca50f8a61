/** The first schema. Foreign keys protect what transactions of other processes must not break. */
import type { ColumnTypes } from './column-types.ts'

export function initialSchema(types: ColumnTypes): readonly string[] {
  return [
    ...repositoryTables(types),
    ...manifestTables(types),
    ...manifestDetailTables(types),
    ...blobTables(types),
    ...workTables(types),
  ]
}

function repositoryTables({ id, text, integer, rowTable }: ColumnTypes): readonly string[] {
  return [
    `create table owner (
      id ${id},
      name ${text} not null unique,
      kind ${text} not null,
      visibility ${text} not null,
      created_at ${integer} not null
    ) ${rowTable}`,
    `create table repository (
      id ${id},
      owner_id ${integer} not null references owner (id),
      name ${text} not null unique,
      visibility ${text} not null,
      created_at ${integer} not null
    ) ${rowTable}`,
    'create index repository_owner on repository (owner_id)',
    'create index repository_visibility on repository (visibility, name)',
  ]
}

function manifestTables({ id, text, integer, bytes, rowTable, keyTable }: ColumnTypes): readonly string[] {
  return [
    `create table manifest_content (
      digest ${text} not null primary key,
      bytes ${bytes} not null
    ) ${rowTable}`,
    `create table manifest (
      id ${id},
      repository_id ${integer} not null references repository (id),
      digest ${text} not null references manifest_content (digest),
      media_type ${text} not null,
      artifact_type ${text},
      subject_digest ${text},
      size ${integer} not null,
      platform ${text},
      pushed_by ${text} not null,
      created_at ${integer} not null,
      pushed_at ${integer} not null,
      descriptor ${text} not null,
      unique (repository_id, digest)
    ) ${rowTable}`,
    'create index manifest_digest on manifest (digest)',
    `create index manifest_subject on manifest (repository_id, subject_digest, id)
      where subject_digest is not null`,
    `create table tag (
      repository_id ${integer} not null,
      name ${text} not null,
      digest ${text} not null,
      created_at ${integer} not null,
      updated_at ${integer} not null,
      primary key (repository_id, name),
      foreign key (repository_id, digest) references manifest (repository_id, digest)
    ) ${keyTable}`,
    'create index tag_digest on tag (repository_id, digest)',
  ]
}

function manifestDetailTables({ id, text, integer, rowTable, keyTable }: ColumnTypes): readonly string[] {
  return [
    `create table manifest_blob (
      repository_id ${integer} not null,
      manifest_id ${integer} not null references manifest (id) on delete cascade,
      position ${integer} not null,
      blob_digest ${text} not null,
      role ${text} not null,
      media_type ${text} not null,
      size ${integer} not null,
      primary key (manifest_id, position)
    ) ${keyTable}`,
    'create index manifest_blob_digest on manifest_blob (repository_id, blob_digest)',
    `create table manifest_child (
      repository_id ${integer} not null,
      index_id ${integer} not null references manifest (id) on delete cascade,
      position ${integer} not null,
      child_digest ${text} not null,
      platform ${text},
      primary key (index_id, position)
    ) ${keyTable}`,
    'create index manifest_child_digest on manifest_child (repository_id, child_digest)',
    `create table property (
      id ${id},
      ref_type ${text} not null,
      ref_id ${integer} not null,
      name ${text} not null,
      value ${text} not null
    ) ${rowTable}`,
    'create index property_ref on property (ref_type, ref_id)',
  ]
}

function blobTables({ text, integer, keyTable }: ColumnTypes): readonly string[] {
  return [
    `create table blob (
      digest ${text} not null primary key,
      storage_key ${text} not null unique,
      size ${integer} not null,
      created_at ${integer} not null,
      linked ${integer} not null
    ) ${keyTable}`,
    'create index blob_unlinked on blob (created_at, digest) where linked = 0',
    `create table blob_link (
      repository_id ${integer} not null references repository (id),
      digest ${text} not null references blob (digest),
      linked_at ${integer} not null,
      state ${text} not null,
      primary key (repository_id, digest)
    ) ${keyTable}`,
    'create index blob_link_digest on blob_link (digest)',
    `create table dead_key (
      storage_key ${text} not null primary key,
      digest ${text},
      since ${integer} not null
    ) ${keyTable}`,
    'create index dead_key_since on dead_key (since, storage_key)',
  ]
}

function workTables({ id, text, integer, bytes, rowTable, keyTable }: ColumnTypes): readonly string[] {
  return [
    `create table upload (
      id ${text} not null primary key,
      repository ${text} not null,
      principal ${text} not null,
      storage_key ${text} not null unique,
      generation ${integer} not null,
      writer ${text},
      segments ${text} not null,
      byte_offset ${integer} not null,
      hash_algorithm ${text},
      hash_offset ${integer},
      hash_digest ${text},
      hash_state ${bytes},
      created_at ${integer} not null,
      touched_at ${integer} not null
    ) ${keyTable}`,
    'create index upload_principal on upload (principal)',
    'create index upload_touched on upload (touched_at)',
    `create table event (
      id ${id},
      kind ${text} not null,
      repository_id ${integer} not null,
      actor ${text} not null,
      credential ${text},
      tag ${text},
      digest_before ${text},
      digest_after ${text},
      at ${integer} not null
    ) ${rowTable}`,
    'create index event_repository on event (repository_id, id)',
    `create table lease (
      name ${text} not null primary key,
      holder ${text} not null,
      generation ${integer} not null,
      expires_at ${integer} not null
    ) ${keyTable}`,
    `create table installation (
      singleton ${integer} not null primary key check (singleton = 1),
      id ${text} not null,
      created_at ${integer} not null
    ) ${rowTable}`,
  ]
}
