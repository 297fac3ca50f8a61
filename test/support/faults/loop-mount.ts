/**
 * @module Separate file systems for tests: ext4 in an image file on a loop device, to fill up or to copy as a power cut would
 * leave it. Needs root and loop devices (Linux); without them the test fails and names the reason.
 */
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { runTool } from '../processes/run-tool.ts'
import { tempFolder } from '../processes/temp-folder.ts'

export interface LoopMount extends AsyncDisposable {
  /** The root of the mounted file system. */
  readonly path: string
  /**
   * Copies the image as it is at one moment: the data that the file system has sent to its device, without the data that is still
   * in the page cache. The caller has stopped all writers. The kernel may write back during the copy, and an image of older and
   * newer blocks is not a state that a power cut leaves; so a copy is repeated if the device was written meanwhile.
   */
  copyImage(): Promise<string>
}

const mebibyte = 1024 * 1024

/**
 * Mounts a new, empty file system of this size; `inodes` is the number of files that it can hold, by default the choice of ext4.
 */
export async function mountNew(sizeMiB: number, inodes?: number): Promise<LoopMount> {
  return await mountFrom(async (image) => {
    await writeFile(image, '')
    await truncate(image, sizeMiB * mebibyte)
    // No space reserved for root, and no tables that the kernel initialises while a test watches the device.
    const extended = 'lazy_itable_init=0,lazy_journal_init=0,nodiscard'
    const files = inodes === undefined ? [] : ['-N', String(inodes)]
    await runTool('mkfs.ext4', '-q', '-F', '-m', '0', ...files, '-E', extended, image)
  })
}

/** Mounts a copy of an image. Mounting replays its journal, like the start after a power cut. */
export async function mountCopy(image: string): Promise<LoopMount> {
  return await mountFrom(async (target) => {
    await runTool('cp', '--sparse=always', image, target)
  })
}

async function mountFrom(makeImage: (path: string) => Promise<void>): Promise<LoopMount> {
  const folder = await tempFolder('lading-loop')
  const stack = new AsyncDisposableStack()
  stack.use(folder)
  try {
    const image = join(folder.path, 'image')
    const path = join(folder.path, 'mount')
    await makeImage(image)
    await mkdir(path)
    const device = await explained(() => runTool('losetup', '--find', '--show', image))
    stack.defer(() => runTool('losetup', '--detach', device).then(() => undefined))
    await explained(() => runTool('mount', '-t', 'ext4', device, path))
    const unmountLazily = (): void => void spawnSync('umount', ['--lazy', path])
    process.once('exit', unmountLazily)
    stack.defer(async () => {
      await unmount(path)
      process.removeListener('exit', unmountLazily)
    })
    let copies = 0
    return {
      path,
      copyImage: async () => await copyAtOneMoment(image, device, `${folder.path}/copy-${(copies += 1)}`),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new Error(
      'this test mounts a file system of its own: run it as root on a Linux with loop devices',
      {
        cause,
      },
    )
  }
}

/** Retries, because a process that was just killed may hold files for a moment. */
async function unmount(path: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      await runTool('umount', path)
      return
    } catch {
      await sleep(100)
    }
  }
  await runTool('umount', '--lazy', path)
}

const mostCopies = 20

async function copyAtOneMoment(image: string, device: string, target: string): Promise<string> {
  for (let attempt = 0; attempt < mostCopies; attempt += 1) {
    const before = await readWrites(device)
    await runTool('cp', '--sparse=always', image, target)
    const after = await readWrites(device)
    if (before.inFlight === 0 && after.inFlight === 0 && before.done === after.done) return target
  }
  throw new Error(`the kernel wrote to ${device} during each of ${mostCopies} copies; is its writer stopped?`)
}

/**
 * Reads the writes of a device (Documentation/block/stat of the kernel): field 5 counts finished writes, 9 requests in flight, 16
 * flushes.
 */
async function readWrites(device: string): Promise<{ readonly done: string; readonly inFlight: number }> {
  const stat = await readFile(device.replace('/dev/', '/sys/block/') + '/stat', 'utf8')
  const fields = stat.trim().split(/\s+/)
  return { done: `${fields[4]} ${fields[15]}`, inFlight: Number(fields[8]) }
}
