/** Servers that a test needs beside the registry. Each is a process that ends with the test, whatever the result. */
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import { eventually } from '../eventually.ts'

export interface DaemonOptions {
  readonly command: readonly [string, ...string[]]
  readonly env?: NodeJS.ProcessEnv
  /** Called repeatedly until it resolves to true; an error counts as false. */
  readonly isReady: () => Promise<boolean>
  readonly startDeadlineMs?: number
}

export interface Daemon extends AsyncDisposable {
  /** The output so far (the last 50,000 characters). */
  readonly output: string
}

const keptOutputChars = 50_000
/** dockerd waits up to 15 s for its containerd; if it is killed before that, it leaves mounts behind. */
const stopDeadlineMs = 40_000

/** Resolves when the server is ready. Throws with its output when it ends before that or takes too long. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const daemon = new DaemonProcess(options)
  try {
    await daemon.ready(options)
    return daemon
  } catch (error) {
    await daemon[Symbol.asyncDispose]()
    throw new Error(`${options.command[0]} does not start:\n${daemon.output.slice(-4000)}`, { cause: error })
  }
}

class DaemonProcess implements Daemon {
  output = ''
  readonly #child: ChildProcessByStdio<null, Readable, Readable>

  constructor({ command: [program, ...args], env }: DaemonOptions) {
    // The kernel ends it with this process: a vitest worker that is terminated cannot.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env ?? process.env,
    })
    // The program is missing: `hasEnded` reports it.
    this.#child.on('error', (error) => (this.output += error.message))
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output = `${this.output}${text}`.slice(-keptOutputChars)
      })
    }
  }

  get #hasEnded(): boolean {
    const { exitCode, signalCode, pid } = this.#child
    return pid === undefined || exitCode !== null || signalCode !== null
  }

  async ready({ isReady, startDeadlineMs = 20_000 }: DaemonOptions): Promise<void> {
    const read = async () => this.#hasEnded || (await isReady().catch(() => false))
    await eventually(read, (isDone) => isDone, startDeadlineMs)
    if (this.#hasEnded) throw new Error('it ended')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const inTime = await Promise.race([ended.then(() => true), sleep(stopDeadlineMs, false, { ref: false })])
    if (inTime) return
    this.#child.kill('SIGKILL')
    await ended
  }
}
