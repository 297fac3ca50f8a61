/**
 * @module The moment the power goes: a registry stops between two instructions and its disk is copied as it is. The
 * copy holds what the file system had sent to its device, and nothing of what waited in the page cache. A device that
 * loses its own cache is not simulated; docs/proof/README.md says what else the method cannot see.
 */
import { readdir, readFile } from 'node:fs/promises'

import { eventually } from '../eventually.ts'
import type { RunningRegistry } from '../start-registry.ts'
import type { LoopMount } from './loop-mount.ts'

/**
 * Returns the path of the copied image, for `mountCopy`; the registry is dead then. Between `onFrozen` and its death
 * requests hang, after it they fail.
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

/** Stops every thread of a process; one that is inside a system call ends it first. */
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
  // The state follows the name, which stands in brackets and may hold blanks.
  return (await Promise.all(stats)).map((stat) =>
    stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3),
  )
}
