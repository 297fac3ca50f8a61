/**
 * @module A simulated power cut: a registry stops between two instructions and its disk is copied as it is. The copy holds the
 * data that the file system had sent to its device, and none of the data in the page cache. A device that loses its own cache is
 * not simulated; docs/proof/README.md lists the other limits of the method.
 */
import { readdir, readFile } from 'node:fs/promises'

import { eventually } from '../eventually.ts'
import type { RunningRegistry } from '../processes/start-registry.ts'
import type { LoopMount } from './loop-mount.ts'

/**
 * Kills the registry and returns the path of the copied image, for `mountCopy`. Requests hang from `onFrozen` until the kill and
 * fail after it.
 */
export async function cutPower(
  registry: RunningRegistry,
  disk: LoopMount,
  onFrozen: () => void,
): Promise<string> {
  await freeze(registry.pid)
  onFrozen()
  const image = await disk.copyImage()
  await registry.kill('SIGKILL')
  return image
}

/** Stops every thread of a process; a thread inside a system call completes the call first. */
async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  await eventually(
    () => listThreadStates(pid),
    (states) => states.every((state) => state === 'T'),
  )
}

async function listThreadStates(pid: number): Promise<readonly string[]> {
  const threads = await readdir(`/proc/${pid}/task`)
  const stats = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8'))
  // The state follows the name, which is in brackets and may contain spaces.
  return (await Promise.all(stats)).map((stat) =>
    stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3),
  )
}
