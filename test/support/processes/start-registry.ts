/**
 * @module Runs the program under test in its own process, as a user starts it, on a free port and with its own data folder. It is
 * for tests that need signals, `kill -9`, real memory figures or a real client; a test that only sends HTTP requests is faster in
 * process.
 */
import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

import type { TempFolder } from './temp-folder.ts'
import { tempFolder } from './temp-folder.ts'

const checkout = join(import.meta.dirname, '../../..')
const startDeadlineMs = 30_000
const stopDeadlineMs = 30_000
const keptOutputChars = 200_000

export interface StartOptions {
  /** `LADING_*` variables; those of the test's own environment are not passed on. By default anonymous may push. */
  readonly env?: Readonly<Record<string, string>>
  /** A data folder, which is kept on dispose; start twice on one folder to test a restart. */
  readonly dataDir?: string
  /** Arguments after `serve`. */
  readonly args?: readonly string[]
  /** `dist` runs the output of `npm run build`. */
  readonly from?: 'source' | 'dist'
  /** The words to put before the command: `['prlimit', '--fsize=1000000']`. */
  readonly wrapper?: readonly string[]
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, no slash at the end. */
  readonly url: string
  /** `127.0.0.1:<port>`, the form that command-line clients need. */
  readonly host: string
  readonly port: number
  readonly pid: number
  readonly dataDir: string
  /** The standard error so far (the last 200,000 characters). */
  readonly stderr: string
  /** The standard output so far: the log, one JSON object per line. */
  readonly stdout: string
  /** Resolves when the process has ended, for any reason. */
  readonly exit: Promise<Exit>
  /** Sends the signal and waits until the process ends. After 30 s it kills the process and throws. */
  kill(signal: NodeJS.Signals): Promise<Exit>
  /** Sends TERM and waits; throws when the exit code is not 0. */
  stop(): Promise<void>
}

/**
 * Starts `lading serve` and resolves when it listens. Throws with its output when it ends or is silent before that. Disposing
 * kills it (`stop` lets it finish) and removes the data folder if it was made here.
 */
export async function startRegistry(options: StartOptions = {}): Promise<RunningRegistry> {
  const folder = options.dataDir === undefined ? await tempFolder('lading-data') : undefined
  const registry = new RegistryProcess(options, folder)
  try {
    await registry.listening()
    return registry
  } catch (error) {
    await registry[Symbol.asyncDispose]()
    throw error
  }
}

class RegistryProcess implements RunningRegistry {
  url = ''
  stdout = ''
  stderr = ''
  readonly dataDir: string
  readonly exit: Promise<Exit>
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #folder: TempFolder | undefined
  readonly #listening = Promise.withResolvers<string>()
  readonly #killWithTests = () => this.#child.kill('SIGKILL')

  constructor(options: StartOptions, folder: TempFolder | undefined) {
    this.#folder = folder
    this.dataDir = options.dataDir ?? folder?.path ?? ''
    this.#child = spawnRegistry(options, this.dataDir)
    this.#collectOutput()
    this.exit = new Promise<Exit>((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => resolve({ code, signal }))
    })
    this.exit.catch(() => undefined)
    process.once('exit', this.#killWithTests)
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  get host(): string {
    return new URL(this.url).host
  }

  get pid(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error('the registry process did not start')
    return pid
  }

  async listening(): Promise<void> {
    const ended = this.exit.then(({ code, signal }) => this.#refuse(`ended (code ${code}, signal ${signal})`))
    this.url = await withDeadline(Promise.race([this.#listening.promise, ended]), startDeadlineMs, () =>
      this.#refuse(`did not say in ${startDeadlineMs / 1000} s where it listens`),
    )
  }

  async kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal)
    return await withDeadline(this.exit, stopDeadlineMs, () => {
      this.#child.kill('SIGKILL')
      return this.#refuse(`went on for ${stopDeadlineMs / 1000} s after ${signal}`)
    })
  }

  async stop(): Promise<void> {
    const exit = await this.kill('SIGTERM')
    if (exit.code !== 0) this.#refuse(`ended badly on SIGTERM (code ${exit.code}, signal ${exit.signal})`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.removeListener('exit', this.#killWithTests)
    this.#child.kill('SIGKILL')
    await this.exit.catch(() => undefined)
    await this.#folder?.[Symbol.asyncDispose]()
  }

  #collectOutput(): void {
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.stdout = `${this.stdout}${line}\n`.slice(-keptOutputChars)
      const url = listeningUrl(line)
      if (url !== undefined) this.#listening.resolve(url)
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = `${this.stderr}${text}`.slice(-keptOutputChars)
    })
  }

  #refuse(what: string): never {
    const output = `${this.stdout}${this.stderr}`.slice(-4000)
    throw new Error(`lading serve ${what}. Its last output:\n${output}`)
  }
}

function spawnRegistry(
  options: StartOptions,
  dataDir: string,
): ChildProcessByStdio<null, Readable, Readable> {
  mkdirSync(dataDir, { recursive: true })
  const entry = join(checkout, options.from === 'dist' ? 'dist/main.js' : 'src/main.ts')
  const command = [...(options.wrapper ?? []), process.execPath, entry, 'serve', ...(options.args ?? [])]
  return spawn(command[0] ?? '', command.slice(1), {
    // Not the checkout: a configuration file in it must not change a test.
    cwd: dataDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...foreignEnvironment(),
      LADING_DATA: dataDir,
      LADING_HTTP_PORT: '0',
      LADING_AUTH_ANONYMOUS: 'push',
      ...options.env,
    },
  })
}

/** Returns the environment without `LADING_*` variables and without those that vitest sets for its workers. */
function foreignEnvironment(): Record<string, string | undefined> {
  const ours = /^(LADING_|VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|DEV$|PROD$|MODE$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

/** Returns the `url` of the log line that announces the listener: `{"msg":"listening","url":"http://127.0.0.1:41234"}`. */
function listeningUrl(line: string): string | undefined {
  if (!line.includes('"listening"')) return undefined
  try {
    const { msg, url } = JSON.parse(line) as { readonly msg?: unknown; readonly url?: unknown }
    return msg === 'listening' && typeof url === 'string' ? url.replace(/\/$/, '') : undefined
  } catch {
    return undefined
  }
}

async function withDeadline<T>(work: Promise<T>, ms: number, onLate: () => never): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      try {
        onLate()
      } catch (error) {
        reject(error)
      }
    }, ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
