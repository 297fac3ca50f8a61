/**
 * @module A file system without space: a ballast file uses the rest of it, to the last block. As on a real full disk, the kernel
 * answers every write that needs a new block with ENOSPC, a file can still overwrite its own blocks (the log of the database,
 * after a checkpoint), and names and inodes can be added while they fit into existing blocks. Not simulated: a quota, which fails
 * in the same places with EDQUOT.
 */
import { mkdir, open, rm, statfs, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { runTool } from '../processes/run-tool.ts'

/** Holds the space until it is released or disposed. */
export interface Ballast extends AsyncDisposable {
  release(): Promise<void>
}

/** The file system may need some blocks to keep track of a large allocation. */
const lastBytes = 64 * 1024
const mostAttempts = 50

/** Uses all but `leftBytes` (rounded down to blocks) of the file system that holds `folder`. */
export async function fillDisk(folder: string, leftBytes: number): Promise<Ballast> {
  const path = join(folder, 'ballast')
  await using file = await open(path, 'w')
  const release = (): Promise<void> => rm(path, { force: true })
  let end = 0
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    // Until the sync, the space of unwritten data is an estimate, and the space of deleted files is not available.
    await runTool('sync', '--file-system', folder)
    const { bavail, bsize } = await statfs(folder)
    const rest = Math.floor((bavail * bsize - leftBytes) / bsize) * bsize
    if (rest <= 0) return { release, [Symbol.asyncDispose]: release }
    end += await take(file, path, { end, rest })
  }
  throw new Error(`the file system of ${folder} still has more than ${leftBytes} bytes left`)
}

/** Returns how much the file grew; 0 when the free space is not available yet. */
async function take(
  file: FileHandle,
  path: string,
  { end, rest }: { readonly end: number; readonly rest: number },
): Promise<number> {
  try {
    if (rest <= 2 * lastBytes) return (await file.write(Buffer.alloc(rest, 1), 0, rest, end)).bytesWritten
    const length = rest - lastBytes
    await runTool('fallocate', '--offset', String(end), '--length', String(length), path)
    return length
  } catch (error) {
    if (/ENOSPC|No space left/.test(String(error))) return 0
    throw error
  }
}

/** Uses every inode: no file can be created, but existing files can grow. */
export async function takeInodes(folder: string): Promise<Ballast> {
  const path = join(folder, 'inodes')
  await mkdir(path)
  try {
    for (let count = 0; ; count += 1) await writeFile(join(path, String(count)), '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
  const release = (): Promise<void> => rm(path, { force: true, recursive: true })
  return { release, [Symbol.asyncDispose]: release }
}
