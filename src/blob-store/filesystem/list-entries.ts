/** Scans the folders. Files may appear and disappear while it runs. */
import type { Stats } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import type { StorageKey, StoreEntry } from '../blob-store.ts'
import type { Layout } from './layout.ts'
import { isProbe, parseBlobName, parseUploadName, shardNames } from './layout.ts'
import { isAbsent } from './files/translate-error.ts'

/** How many `lstat` calls run at once: enough to keep the thread pool busy. */
const statsAtOnce = 32

interface FoundFile {
  readonly name: string
  readonly path: string
  readonly stats: Stats
}

/**
 * Lists uploads first: a blob committed during the scan then shows up twice rather than not at all. Files that no store wrote are
 * passed to `onStrange` and left alone.
 */
export async function* listEntries(
  layout: Layout,
  onStrange: (path: string) => void,
): AsyncGenerator<StoreEntry> {
  yield* await listUploads(layout, onStrange)
  for (const shard of shardNames()) {
    for await (const { name, path, stats } of listFiles(`${layout.blobs}/${shard}`)) {
      const stored = parseBlobName(name)
      if (stored === undefined || !stats.isFile() || !stored.key.startsWith(shard)) onStrange(path)
      else yield { ...stored, size: stats.size, modifiedAt: Math.floor(stats.mtimeMs) }
    }
  }
}

/** Returns one entry per key, regardless of the number of its segments. */
async function listUploads(layout: Layout, onStrange: (path: string) => void): Promise<Iterable<StoreEntry>> {
  const entries = new Map<StorageKey, StoreEntry>()
  for await (const { name, path, stats } of listFiles(layout.uploads)) {
    const key = parseUploadName(name)
    if (key !== undefined && stats.isFile()) {
      const { size, modifiedAt } = entries.get(key) ?? { size: 0, modifiedAt: 0 }
      entries.set(key, {
        key,
        digest: undefined,
        size: size + stats.size,
        modifiedAt: Math.max(modifiedAt, Math.floor(stats.mtimeMs)),
      })
    } else if (!isProbe(name)) onStrange(path)
  }
  return entries.values()
}

async function* listFiles(folder: string): AsyncGenerator<FoundFile> {
  let names: string[] = []
  for await (const { name } of await opendir(folder, { bufferSize: 256 })) {
    names.push(name)
    if (names.length < statsAtOnce) continue
    yield* await statAll(folder, names)
    names = []
  }
  yield* await statAll(folder, names)
}

async function statAll(folder: string, names: readonly string[]): Promise<readonly FoundFile[]> {
  const found = await Promise.all(names.map((name) => statOne(name, `${folder}/${name}`)))
  return found.filter((file) => file !== undefined)
}

async function statOne(name: string, path: string): Promise<FoundFile | undefined> {
  try {
    return { name, path, stats: await lstat(path) }
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
