/**
 * @module Loaded into a registry before its program (`node --import`): disables some of its fsync and fdatasync calls, so that a
 * power-cut test can show that they are needed. `SKIPPED_SYNCS` selects them: those of the metadata log (`metadata`) or all
 * others (`blobs`). The program itself has no such switch.
 */
import fs from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

type Done = (error: NodeJS.ErrnoException | null) => void

const skipsLog = process.env['SKIPPED_SYNCS'] === 'metadata'

function isSkipped(fd: number): boolean {
  return fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('-wal') === skipsLog
}

function skipping(sync: (fd: number, done: Done) => void): (fd: number, done: Done) => void {
  return (fd, done) => (isSkipped(fd) ? setImmediate(done, null) : sync(fd, done))
}

Object.assign(fs, { fsync: skipping(fs.fsync), fdatasync: skipping(fs.fdatasync) })
syncBuiltinESMExports()

const handle = await open('/proc/self/status')
const prototype = Object.getPrototypeOf(handle) as FileHandle
await handle.close()
for (const name of ['sync', 'datasync'] as const) {
  const real = Object.getOwnPropertyDescriptor(prototype, name)?.value as () => Promise<void>
  prototype[name] = async function (this: FileHandle) {
    if (!isSkipped(this.fd)) await real.call(this)
  }
}
