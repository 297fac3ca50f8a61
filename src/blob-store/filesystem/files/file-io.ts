/**
 * Promise versions of the raw descriptor calls. The data path makes thousands of calls per second and transfer, where
 * `FileHandle` is measurably slower. Code that opens a descriptor here must close it.
 */
import { close, fdatasync, fstat, fsync, ftruncate, open, read, write } from 'node:fs'
import { promisify } from 'node:util'

export const openFile = promisify(open)
export const closeFile = promisify(close)
export const statFile = promisify(fstat)
export const truncateFile = promisify(ftruncate)
/** Makes the bytes and the size durable, but not the times. */
export const syncData = promisify(fdatasync)
export const syncFile = promisify(fsync)

/** Reads until the target is full. Fewer bytes mean the end of the file. */
export async function readFully(fd: number, target: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < target.byteLength) {
    const count = await readOnce(fd, filled === 0 ? target : target.subarray(filled), position + filled)
    if (count === 0) break
    filled += count
  }
  return filled
}

function readOnce(fd: number, target: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, target, 0, target.byteLength, position, (error, count) => {
      if (error) reject(error)
      else resolve(count)
    })
  })
}

/** Writes all bytes or throws: the system may write only a part and report the reason at the next call. */
export async function writeFully(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.byteLength) {
    written += await writeOnce(fd, written === 0 ? bytes : bytes.subarray(written), position + written)
  }
}

function writeOnce(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.byteLength, position, (error, count) => {
      if (error) reject(error)
      else resolve(count)
    })
  })
}

/** Makes the entries of a folder durable: names created, renamed or removed in it. */
export async function syncFolder(path: string): Promise<void> {
  const fd = await openFile(path, 'r')
  try {
    await syncFile(fd)
  } finally {
    await closeFile(fd)
  }
}
