/**
 * @module A file system without space: ballast takes what is left of it, to the last block. Faithful: every write that
 * needs a new block gets ENOSPC from the kernel, while what a file already owns (the log of the database, after a
 * checkpoint) can still be written over, and while names and inodes go on to fit into blocks that are there. What is
 * not simulated is a quota, which fails in the same places with EDQUOT.
 */
import { mkdir, open, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { runTool } from '../run-tool.ts'

/** Gives the space back when it is disposed, or before. */
export interface Ballast extends AsyncDisposable {
  release(): Promise<void>
}

/** The file system may need some blocks to keep track of a large allocation. */
const lastBytes = 64 * 1024

/** Takes all but `leftBytes` (rounded down to blocks) of the file system that `folder` lies on. */
export async function fillDisk(folder: string, leftBytes: number): Promise<Ballast> {
  const path = join(folder, 'ballast')
  await using file = await open(path, 'w')
  // What waits to be written is counted by guess until it is.
  await runTool('sync', '--file-system', folder)
  const wanted = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(folder)
    return Math.floor((bavail * bsize - leftBytes) / bsize) * bsize
  }
  const most = (await wanted()) - lastBytes
  if (most > 0) await runTool('fallocate', '--length', String(most), path)
  let end = Math.max(0, most)
  for (let rest = await wanted(); rest > 0; rest = await wanted()) {
    await file.write(Buffer.alloc(rest, 1), 0, rest, end)
    await file.sync()
    end += rest
  }
  const release = (): Promise<void> => rm(path, { force: true })
  return { release, [Symbol.asyncDispose]: release }
}

/** Takes every inode: no file can be made any more, while those that are there can grow. */
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
