/** Runs a command of Lading as a process of its own, for tests that kill it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const entry = join(import.meta.dirname, '../../src/main.ts')

export interface CommandProcess {
  /** Whether it has ended. */
  readonly hasEnded: boolean
  kill(): void
  /** Resolves with its end; `code` is null after a kill. */
  readonly exit: Promise<{ readonly code: number | null; readonly output: string }>
}

/** `env` is all that it gets of `LADING_*`. */
export function startCommand(args: readonly string[], env: Readonly<Record<string, string>>): CommandProcess {
  const foreign = Object.entries(process.env).filter(([name]) => !/^(LADING_|VITEST|NODE_)/.test(name))
  const child = spawn(process.execPath, [entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(foreign), ...env },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  let hasEnded = false
  const exit = once(child, 'close').then(([code]) => {
    hasEnded = true
    return { code: code as number | null, output }
  })
  return {
    get hasEnded() {
      return hasEnded
    },
    kill: () => void child.kill('SIGKILL'),
    exit,
  }
}
