/**
 * The layout of the store's root. Every process that shares the root must agree on it.
 *
 *     <root>/
 *     |-- installation                    id of the installation that owns the store
 *     |-- uploads/                        bytes of unfinished uploads, flat
 *     |   |-- <key>.<generation>          one segment: one writer appends to it
 *     |   |-- <key>.join-<random>         several segments being joined into one blob
 *     |   `-- probe                       written, read and removed by the readiness check
 *     |-- orphans/                        bytes that no database row names, moved here by the sweep
 *     |   `-- <UTC date>/<name>           day of the move; original name in uploads/ or blobs/<xx>/
 *     `-- blobs/
 *         |-- 00/ ... ff/                 first two hex characters of the key; all created when the store opens
 *         `-- <xx>/<key>_<algorithm>-<encoded>
 *
 * The name of a blob carries its digest, so that a scan of the folders rebuilds the map digest -> key.
 */
import { join } from 'node:path'
import type { Digest } from '../../oci/digest.ts'
import { parseDigest } from '../../oci/digest.ts'
import type { StorageKey, StoredBlob } from '../blob-store.ts'

/** Only the registry's own user may read the store. */
export const fileMode = 0o600
export const folderMode = 0o700

export interface Layout {
  readonly root: string
  readonly installation: string
  readonly uploads: string
  readonly probe: string
  readonly blobs: string
  readonly orphans: string
}

export function createLayout(root: string): Layout {
  const uploads = join(root, 'uploads')
  return {
    root,
    installation: join(root, 'installation'),
    uploads,
    probe: join(uploads, probeName),
    blobs: join(root, 'blobs'),
    orphans: join(root, 'orphans'),
  }
}

export function shardNames(): readonly string[] {
  return Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))
}

export function segmentPath(layout: Layout, key: StorageKey, generation: number): string {
  return `${layout.uploads}/${key}.${generation}`
}

/** The path of the draft that is renamed to the installation file. */
export function installationDraftPath(layout: Layout, random: string): string {
  return `${layout.installation}.draft-${random}`
}

/** The random part separates two joins of one key: a takeover may start while the previous holder still joins. */
export function joinPath(layout: Layout, key: StorageKey, random: string): string {
  return `${layout.uploads}/${key}.join-${random}`
}

export function shardPath(layout: Layout, key: StorageKey): string {
  return `${layout.blobs}/${key.slice(0, 2)}`
}

export function blobPath(layout: Layout, { key, digest }: StoredBlob): string {
  return `${shardPath(layout, key)}/${key}_${digest.replace(':', '-')}`
}

const probeName = 'probe'
const uploadName = /^(?<key>[0-9a-f]{32})\.(?:\d+|join-[0-9a-f]+)$/
const blobName = /^(?<key>[0-9a-f]{32})_(?<algorithm>[a-z0-9]+)-(?<encoded>[0-9a-f]+)$/

/** Returns the key of a segment or a join, `undefined` for a name that no store wrote. */
export function parseUploadName(name: string): StorageKey | undefined {
  return uploadName.exec(name)?.groups?.['key']
}

export function isProbe(name: string): boolean {
  return name === probeName
}

/** Returns `undefined` for a name that no store wrote. */
export function parseBlobName(name: string): StoredBlob | undefined {
  const { key, algorithm, encoded } = blobName.exec(name)?.groups ?? {}
  if (key === undefined) return undefined
  const digest = readDigest(`${algorithm}:${encoded}`)
  return digest === undefined ? undefined : { key, digest }
}

function readDigest(text: string): Digest | undefined {
  try {
    return parseDigest(text)
  } catch {
    return undefined
  }
}
