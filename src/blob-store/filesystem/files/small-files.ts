/** The files of a store other than blobs. */
import { constants } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { StoreUnavailable } from '../../errors.ts'
import { closeFile, openFile, readFully, syncData, writeFully } from './file-io.ts'
import { fileMode } from '../layout.ts'
import { removeFile } from '../segments/remove-segments.ts'
import { isAbsent } from './translate-error.ts'

/** Returns `undefined` when the file is missing or empty. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, 'utf8')
    return text.trim() || undefined
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** Replaces a file: readers see the old text or the new one, never a part. Durable once the caller has synced the folder. */
export async function replaceText(path: string, draft: string, text: string): Promise<void> {
  const fd = await openFile(draft, 'wx', fileMode)
  try {
    await writeFully(fd, Buffer.from(text), 0)
    await syncData(fd)
    await rename(draft, path)
  } catch (error) {
    await removeFile(draft)
    throw error
  } finally {
    await closeFile(fd)
  }
}

/** Several processes may probe at once: they write the same bytes, and each reads through its own descriptor. */
export async function probeFile(path: string): Promise<void> {
  const sent = Buffer.from('probe')
  const received = Buffer.alloc(sent.byteLength)
  const fd = await openFile(path, constants.O_RDWR | constants.O_CREAT, fileMode)
  try {
    await writeFully(fd, sent, 0)
    const count = await readFully(fd, received, 0)
    if (count !== sent.byteLength || !received.equals(sent)) {
      throw new StoreUnavailable('the blob store returned bytes other than those written', {
        retryable: false,
      })
    }
  } finally {
    await closeFile(fd)
  }
  await removeFile(path)
}
