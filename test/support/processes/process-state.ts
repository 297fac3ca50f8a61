/** The resources of a running process, read from /proc (Linux). */
import { readdir, readFile, stat } from 'node:fs/promises'

export interface ProcessState {
  /**
   * The number of open files, sockets and pipes; includes the folders that a store keeps open, whose number the layout bounds.
   */
  readonly descriptors: number
  readonly residentMiB: number
}

export async function readProcessState(pid: number): Promise<ProcessState> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kibibytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1])
  const open = await readdir(`/proc/${pid}/fd`)
  const counted = await Promise.all(open.map((fd) => countsAsOpen(`/proc/${pid}/fd/${fd}`)))
  return { descriptors: counted.filter(Boolean).length, residentMiB: kibibytes / 1024 }
}

async function countsAsOpen(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory()
  } catch {
    // It was closed in the meantime.
    return false
  }
}
