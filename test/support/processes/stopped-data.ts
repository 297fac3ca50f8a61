/**
 * @module The data folder of a stopped registry: cleaned by the program's own lifecycle functions without a grace period, then
 * checked by comparing files with rows.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { openFilesystemBlobStore } from '../../../src/blob-store/filesystem/filesystem-blob-store.ts'
import { BufferPool } from '../../../src/lib/memory/buffer-pool.ts'
import { systemIds } from '../../../src/lib/ids.ts'
import { collectBlobs } from '../../../src/lifecycle/collect-blobs.ts'
import { expireUploads } from '../../../src/lifecycle/expire-uploads.ts'
import { removeDeadKeys } from '../../../src/lifecycle/remove-dead-keys.ts'
import { sweepStore } from '../../../src/lifecycle/sweep-store.ts'
import { openSqliteMetadata } from '../../../src/metadata/dialects/sqlite/sqlite.ts'
import { acceptStore } from '../../../src/metadata/system/installation.ts'
import { silentLog } from '../parts/silent-log.ts'

export interface Cleaned {
  readonly endedUploads: number
  readonly collectedBlobs: number
  readonly removedKeys: number
  readonly sweptKeys: number
}

/** Ends every upload session, collects every unlinked blob and sweeps every file that has no row. */
export async function cleanData(dataDir: string): Promise<Cleaned> {
  // A grace period of zero means "before now". With a clock one second ahead, this includes the present.
  const clock = { now: () => Date.now() + 1000 }
  const onFatal = (error: unknown): never => {
    throw error
  }
  await using metadata = await openSqliteMetadata({ file: join(dataDir, 'lading.db'), clock, onFatal })
  await using store = await openFilesystemBlobStore({
    root: join(dataDir, 'store'),
    buffers: new BufferPool(),
    clock,
    ids: systemIds,
    onStrange: (path) => onFatal(new Error(`a file that no store wrote: ${path}`)),
  })
  const deps = { metadata, store, clock, log: silentLog }
  const { signal } = new AbortController()
  const endedUploads = await expireUploads(deps, { withBytesMs: 0, emptyMs: 0 }, signal)
  const collectedBlobs = await collectBlobs(deps, 0, signal)
  const removedKeys = await removeDeadKeys(deps, signal)
  // A crash may leave more files than a sweep moves without an operator's consent.
  await metadata.transact((tx) => acceptStore(tx, clock.now()))
  const sweptKeys = await sweepStore(deps, 0, signal)
  for await (const entry of store.listAside()) await store.deleteAside(entry)
  return { endedUploads, collectedBlobs, removedKeys, sweptKeys }
}

/** Returns every file in the store's folders that is not the blob of a row, and every blob row without its complete file. */
export async function compareData(dataDir: string): Promise<readonly string[]> {
  const files = await listFiles(join(dataDir, 'store'))
  const expected = new Map(listBlobRows(dataDir).map((row) => [pathOf(row), row]))
  const problems = checkDatabase(dataDir)
  for (const path of files) {
    if (path !== 'installation' && !expected.has(path)) problems.push(`${path} is in the store and in no row`)
  }
  for (const [path, row] of expected) {
    const fault = await findFault(join(dataDir, 'store', path), row)
    if (fault !== undefined) problems.push(`${path} ${fault}`)
  }
  return problems
}

/** Lists the blob files of one digest under all their keys. */
export async function listBlobFiles(dataDir: string, digest: string): Promise<readonly string[]> {
  const files = await listFiles(join(dataDir, 'store'))
  return files.filter((path) => path.endsWith(`_${digest.replace(':', '-')}`))
}

/** Lists the files of unfinished uploads. */
export async function listUploadFiles(dataDir: string): Promise<readonly string[]> {
  return await listFiles(join(dataDir, 'store', 'uploads'))
}

/** Queries the database of a registry, running or stopped, and returns the rows. */
export function queryRows(dataDir: string, sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(join(dataDir, 'lading.db'), { readOnly: true, timeout: 5000 })
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

interface BlobRow {
  readonly digest: string
  readonly storage_key: string
  readonly size: number
}

function listBlobRows(dataDir: string): readonly BlobRow[] {
  return queryRows(dataDir, 'select digest, storage_key, size from blob') as unknown as readonly BlobRow[]
}

function checkDatabase(dataDir: string): string[] {
  const integrity = queryRows(dataDir, 'pragma integrity_check').map((row) => String(row['integrity_check']))
  const keys = queryRows(dataDir, 'pragma foreign_key_check').map(
    (row) => `broken key ${JSON.stringify(row)}`,
  )
  const leftovers = ['upload', 'dead_key'].flatMap((table) => {
    const rows = queryRows(dataDir, `select count(*) as count from ${table}`)
    return rows[0]?.['count'] === 0 ? [] : [`table ${table} is not empty`]
  })
  return [...integrity.filter((line) => line !== 'ok'), ...keys, ...leftovers]
}

function pathOf({ storage_key: key, digest }: BlobRow): string {
  return `blobs/${key.slice(0, 2)}/${key}_${digest.replace(':', '-')}`
}

async function findFault(path: string, { digest, size }: BlobRow): Promise<string | undefined> {
  try {
    const found = (await stat(path)).size
    if (found !== size) return `has ${found} bytes instead of ${size}`
  } catch {
    return 'is missing'
  }
  const [algorithm = '', encoded] = digest.split(':')
  const hash = createHash(algorithm)
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer)
  return hash.digest('hex') === encoded ? undefined : 'holds other bytes'
}

async function listFiles(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
}
