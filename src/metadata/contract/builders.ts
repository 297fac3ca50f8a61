/** Test data for the contract. Names are unique per run, so that a suite can use a database with rows of others. */
import { randomBytes } from 'node:crypto'
import { digestBytes } from '../../oci/digest.ts'
import type { Digest } from '../../oci/digest.ts'
import type { RepositoryName } from '../../oci/repository-name.ts'
import type { TagName } from '../../oci/tag-name.ts'
import { insertBlob, linkBlob } from '../content/blobs.ts'
import type { Transaction } from '../handles.ts'
import { insertManifest } from '../content/manifests.ts'
import type { NewManifest } from '../content/manifests.ts'
import type { Metadata } from '../metadata.ts'
import { ensureRepository } from '../repositories/repositories.ts'
import type { Repository } from '../repositories/repositories.ts'
import { lockTag } from '../content/tags.ts'
import type { TagKey } from '../content/tags.ts'
import type { UploadRow } from '../content/uploads.ts'

const run = randomBytes(4).toString('hex')
let count = 0

export function unique(prefix: string): string {
  count += 1
  return `${prefix}-${run}-${count}`
}

export function aDigest(seed: string = unique('content')): Digest {
  return digestBytes(new TextEncoder().encode(seed))
}

export function aTag(name: string): TagName {
  return name as TagName
}

export function aName(name: string = unique('image')): RepositoryName {
  return `owner-${run}/${name}` as RepositoryName
}

export function createRepository(
  metadata: Metadata,
  options: { name?: RepositoryName; visibility?: Repository['visibility'] } = {},
): Promise<Repository> {
  const { name = aName(), visibility = 'private' } = options
  return metadata.transact((tx) => ensureRepository(tx, { name, visibility, now: 1 }))
}

export function aManifest(repository: Repository, changes: Partial<NewManifest> = {}): NewManifest {
  const bytes = changes.bytes ?? new TextEncoder().encode(`{"unique":"${unique('manifest')}"}`)
  return {
    repositoryId: repository.id,
    digest: digestBytes(bytes),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: undefined,
    subject: undefined,
    size: bytes.byteLength,
    platform: undefined,
    bytes,
    descriptor: '{}',
    pushedBy: 'anonymous',
    now: 1,
    blobs: [],
    children: [],
    properties: [],
    ...changes,
  }
}

export async function pushManifest(
  metadata: Metadata,
  repository: Repository,
  changes: Partial<NewManifest> = {},
): Promise<NewManifest> {
  const manifest = aManifest(repository, changes)
  await metadata.transact((tx) => insertManifest(tx, manifest))
  return manifest
}

export async function insertAnyBlob(
  tx: Transaction,
  options: { digest?: Digest; createdAt?: number } = {},
): Promise<Digest> {
  const { digest = aDigest(), createdAt = 1 } = options
  await insertBlob(tx, { digest, storageKey: unique('key'), size: 7, createdAt })
  return digest
}

export function createLinkedBlob(metadata: Metadata, repository: Repository): Promise<Digest> {
  return metadata.transact(async (tx) => {
    const digest = await insertAnyBlob(tx)
    await linkBlob(tx, { repositoryId: repository.id, digest, now: 1 })
    return digest
  })
}

export function anUpload(changes: Partial<UploadRow> = {}): UploadRow {
  return {
    id: unique('upload'),
    repository: aName(),
    principal: unique('principal'),
    holder: unique('holder'),
    storageKey: unique('key'),
    generation: 0,
    writer: undefined,
    segments: [],
    offset: 0,
    hash: undefined,
    createdAt: 1,
    touchedAt: 1,
    ...changes,
  }
}

export function numbers(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

export function findTag(metadata: Metadata, key: TagKey): Promise<{ digest: Digest } | undefined> {
  return metadata.transact((tx) => lockTag(tx, key))
}
