/** The cost of a server, read from /proc: works for child processes and for any other process on this machine. Linux only. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Kernel clock ticks per second: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

export interface ProcessCost {
  /** User and system time of the process and all its descendants. */
  readonly cpuSeconds: number
  readonly rssMiB: number
}

/** Returns `undefined` when the process is not on this machine or has ended. */
export function processCost(pid: number): ProcessCost | undefined {
  try {
    const pids = [pid, ...descendants(pid)]
    return {
      cpuSeconds: sum(pids.map(cpuSecondsOf)),
      rssMiB: sum(pids.map((one) => statusKiB(one, 'VmRSS'))) / 1024,
    }
  } catch {
    return undefined
  }
}

/** Returns the user and system time of this process and of its ended children. */
export function ownCpuSeconds(): number {
  const ticks = statFields(process.pid)?.slice(11, 15).map(Number) ?? []
  return sum(ticks) / ticksPerSecond
}

/** Returns the highest resident size so far of the process alone, in MiB. */
export function peakRssMiB(pid: number): number {
  return statusKiB(pid, 'VmHWM') / 1024
}

/** Returns the process that listens on a TCP port of this machine; `undefined` when it is not visible. */
export function findListener(port: number): number | undefined {
  const inode = listeningInode(port)
  if (inode === undefined) return undefined
  return allPids().find((pid) => openFiles(pid).includes(`socket:[${inode}]`))
}

function listeningInode(port: number): string | undefined {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0')
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const row = readFileSync(table, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      // Column 1 is the local address, 3 the state (0A listens), 9 the inode.
      .find((columns) => columns[1]?.endsWith(`:${hexPort}`) === true && columns[3] === '0A')
    if (row?.[9] !== undefined) return row[9]
  }
  return undefined
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
  } catch {
    return []
  }
}

function descendants(pid: number): number[] {
  const children = allPids().filter((other) => statFields(other)?.[1] === String(pid))
  return children.flatMap((child) => [child, ...descendants(child)])
}

function cpuSecondsOf(pid: number): number {
  const fields = statFields(pid)
  if (fields === undefined) throw new Error(`process ${pid} has ended`)
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Returns the fields of /proc/<pid>/stat from the state on: the name before it may contain spaces and brackets. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function statusKiB(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
