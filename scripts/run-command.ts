/** Runs one command in its own process group, so that a deadline or Ctrl-C ends its children too. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

export interface CommandResult {
  readonly ok: boolean
  /** The reason for a failure: exit code, signal or the error at its start. */
  readonly reason: string
  readonly timedOut: boolean
  readonly seconds: number
  /** The output on stdout and stderr; empty without `capture`. */
  readonly output: string
}

export interface CommandOptions {
  readonly timeoutMs?: number
  /** Whether to keep the output instead of passing it on. */
  readonly capture?: boolean
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

const killAfterMs = 5_000

export async function run(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = command
  const startedAt = performance.now()
  const child = spawn(program, args, {
    detached: true,
    stdio: options.capture === true ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => output.push(text))
  }
  const deadline = endAtDeadline(child, options.timeoutMs)
  const stopForwarding = forwardSignals(child)
  const reason = await ended(child)
  stopForwarding()
  deadline.clear()
  return {
    ok: reason === '',
    reason,
    timedOut: deadline.passed(),
    seconds: (performance.now() - startedAt) / 1000,
    output: output.join(''),
  }
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => {
      if (code === 0) resolve('')
      else resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`)
    })
  })
}

function endAtDeadline(
  child: ChildProcess,
  timeoutMs: number | undefined,
): { passed(): boolean; clear(): void } {
  let passed = false
  const timers: NodeJS.Timeout[] = []
  if (timeoutMs !== undefined) {
    const end = () => {
      passed = true
      signalGroup(child, 'SIGTERM')
      timers.push(setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs))
    }
    timers.push(setTimeout(end, timeoutMs))
  }
  return { passed: () => passed, clear: () => timers.forEach((timer) => clearTimeout(timer)) }
}

/** Forwards signals to the child, and ends this process after it. */
function forwardSignals(child: ChildProcess): () => void {
  const stop = (signal: NodeJS.Signals) => {
    signalGroup(child, signal)
    child.once('close', () => process.exit(130))
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return () => process.off('SIGINT', stop).off('SIGTERM', stop)
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
