/**
 * @module A file system without space: ballast takes what is left of it, to the last block. Faithful: every write that
 * needs a new block gets ENOSPC from the kernel, while what a file already owns (the log of the database, after a
 * checkpoint) can still be written over, and while names and inodes go on to fit into blocks that are there. What is
 * not simulated is a quota, which fails in the same places with EDQUOT.
 */
import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Gives the space back when it is disposed, or before. */
export interface Ballast extends AsyncDisposable {
  release(): Promise<void>
}

const mostAtOnceBytes = 64 * 1024

/** Takes all but `leftBytes` (rounded down to blocks) of the file system that `folder` lies on. */
export async function fillDisk(folder: string, leftBytes: number): Promise<Ballast> {
  const path = join(folder, 'ballast')
  await using file = await open(path, 'w')
  const bytes = Buffer.alloc(mostAtOnceBytes, 1)
  for (;;) {
    const { bavail, bsize } = await statfs(folder)
    const size = Math.min(bytes.length, bavail * bsize - leftBytes)
    if (size <= 0) break
    await file.write(bytes, 0, size)
  }
  await file.sync()
  const release = (): Promise<void> => rm(path, { force: true })
  return { release, [Symbol.asyncDispose]: release }
}
