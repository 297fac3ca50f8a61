/** Runs a Lading command in its own process, for tests that kill it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const entry = join(import.meta.dirname, '../../../src/main.ts')

export interface CommandProcess {
  /** Whether the process has ended. */
  readonly hasEnded: boolean
  kill(): void
  /** Resolves when the process ends; `code` is null after a kill. */
  readonly exit: Promise<{ readonly code: number | null; readonly output: string }>
}

/** Starts the command; `env` has all the `LADING_*` variables that it gets. */
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
