/**
 * @module A registry that dies at one call to the file system, the same in every run; `kill-at.ts` describes the calls and the
 * limits of the method.
 */
import { eventually } from '../eventually.ts'
import type { RunningRegistry, StartOptions } from '../processes/start-registry.ts'
import { startRegistry } from '../processes/start-registry.ts'

export interface KillPoint {
  /** A function of `node:fs`. */
  readonly operation: 'open' | 'write' | 'fsync' | 'fdatasync' | 'rename'
  /** The number of the call, counted from 1 after arming. */
  readonly count: number
  readonly moment: 'before' | 'after'
}

/** Starts a registry that dies when it is armed and reaches the kill point. */
export async function startWithKillPoint(options: StartOptions, point: KillPoint): Promise<RunningRegistry> {
  const preload = new URL('kill-at.ts', import.meta.url).href
  const { operation, count, moment } = point
  const env = { NODE_OPTIONS: `--import=${preload}`, KILL_AT: `${operation}:${count}:${moment}` }
  return await startRegistry({ ...options, env: { ...options.env, ...env } })
}

/** Starts counting calls. */
export async function armKillPoint(registry: RunningRegistry): Promise<void> {
  process.kill(registry.pid, 'SIGUSR2')
  await eventually(
    () => registry.stderr,
    (text) => text.includes('kill point armed'),
  )
}
