/**
 * @module Runs each row of the event-loop proof against a real server process over a large data folder, and measures how long
 * other clients wait and how much memory the server uses.
 */
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

import { askApi } from '../http/api-client.ts'
import { ask } from '../http/client.ts'
import { basic, passwordOf } from '../parts/identity-server.ts'
import { pushBlob } from '../content/manifests.ts'
import { aRandomBlob } from '../content/random.ts'
import { startRegistry } from '../processes/start-registry.ts'
import type { RunningRegistry } from '../processes/start-registry.ts'
import { tempFolder } from '../processes/temp-folder.ts'
import type { LoopDelay } from './loop-monitor.ts'
import type { ProbeInput, Waits } from './probe-worker.ts'
import { loopRows } from './rows.ts'
import type { LoopRow, LoopScene } from './rows.ts'
import { names, seedRows } from './seed-rows.ts'
import type { LoopSizes } from './sizes.ts'

export interface LoopResult {
  readonly what: string
  /** The summary that the row returned. */
  readonly told: string
  /** The reason for a failure. */
  readonly problem: string | undefined
  readonly seconds: number
  readonly waits: Waits
  /** The delay of the server's event loop, measured by the server. */
  readonly loop: LoopDelay | undefined
  readonly rssBeforeMiB: number
  readonly rssPeakMiB: number
}

export interface LoopRun {
  readonly seedSeconds: number
  readonly results: readonly LoopResult[]
}

/** A server is idle again when this many small requests in a row were each answered within `idleAnswerMs`. */
const idleAnswers = 3
const idleAnswerMs = 20
/** The longest wait for the server to become idle after a row. */
const longestAftermathMs = 30_000
const monitor = join(import.meta.dirname, 'loop-monitor.ts')

/** Runs all rows; calls `onResult` after each. */
export async function runLoop(
  sizes: LoopSizes,
  onResult: (result: LoopResult) => void = () => undefined,
): Promise<LoopRun> {
  await using folder = await tempFolder('lading-loop')
  await using server = new LoopServer(folder.path)
  const { scene, seedSeconds } = await prepare(server, sizes)
  const results: LoopResult[] = []
  // The first row runs once without measurement: a new process has neither compiled its code nor grown its heap.
  for (const row of loopRows.slice(0, 1)) await runRow(server, row, scene)
  for (const row of loopRows) {
    const result = await runRow(server, row, scene)
    onResult(result)
    results.push(result)
  }
  return { seedSeconds, results }
}

/** The server under test, which is started again when a row ended it. */
class LoopServer implements AsyncDisposable {
  readonly dataDir: string
  readonly #socket: string
  #running: RunningRegistry | undefined

  constructor(folder: string) {
    this.dataDir = join(folder, 'data')
    this.#socket = join(folder, 'loop')
  }

  async running(): Promise<RunningRegistry> {
    this.#running ??= await startRegistry({
      dataDir: this.dataDir,
      env: {
        LADING_ADMIN_NAME: 'root',
        LADING_ADMIN_PASSWORD: passwordOf('root'),
        // All clients of the proof have one address.
        LADING_LIMITS_CONNECTIONS_PER_ADDRESS: '10000',
        NODE_OPTIONS: `--import=${monitor}`,
        TEST_LOOP_SOCKET: this.#socket,
      },
    })
    return this.#running
  }

  /** Returns the delay since the last call; `undefined` when the process has ended. */
  async loopDelay(): Promise<LoopDelay | undefined> {
    try {
      const socket = connect(this.#socket)
      await once(socket, 'connect')
      return JSON.parse(await text(socket)) as LoopDelay
    } catch {
      return undefined
    }
  }

  async forgetDead(): Promise<string | undefined> {
    const registry = this.#running
    if (registry === undefined) return undefined
    const exit = await Promise.race([registry.exit, delay(0)])
    if (exit === undefined) return undefined
    this.#running = undefined
    return `the server ended (code ${exit.code}, signal ${exit.signal}): ${registry.stderr.slice(-300)}`
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
    this.#running = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]()
  }
}

/**
 * Prepares the data: a blob, a user and a token are made through the program, the millions of rows are written to its database
 * while it is stopped.
 */
async function prepare(
  server: LoopServer,
  sizes: LoopSizes,
): Promise<{ scene: (signal: AbortSignal) => Promise<LoopScene>; seedSeconds: number }> {
  const { url } = await server.running()
  const root = { authorization: basic('root') }
  const blob = aRandomBlob(sizes.blobBytes)
  await pushBlob(`${url}/v2/${names.blobs}`, blob, { headers: root })
  const user = { name: names.user, password: passwordOf(names.user) }
  await askApi(url, '/users', { as: 'root', json: user })
  const patterns = Array.from(
    { length: sizes.hostilePatterns },
    (_, n) => `${names.user}/*${'a'.repeat(100 + n)}b`,
  )
  const token = await askApi(url, '/me/tokens', {
    as: names.user,
    json: { name: 'loop', repositories: patterns },
  })
  const secret = basic(names.user, String(token.value['secret']))
  await server.stop()
  const started = performance.now()
  const layers = seedRows(server.dataDir, sizes)
  const seedSeconds = (performance.now() - started) / 1000
  const scene = async (signal: AbortSignal): Promise<LoopScene> => {
    const { url } = await server.running()
    const asking = (authorization: string) => ({ url, signal, headers: { authorization } })
    return {
      sizes,
      layers,
      blob: blob.digest,
      as: {
        anyone: { url, signal },
        root: asking(root.authorization),
        me: asking(basic(names.user)),
        token: asking(secret),
      },
    }
  }
  return { scene, seedSeconds }
}

async function runRow(
  server: LoopServer,
  row: LoopRow,
  sceneFor: (signal: AbortSignal) => Promise<LoopScene>,
): Promise<LoopResult> {
  const deadline = new AbortController()
  const scene = await sceneFor(deadline.signal)
  const { settleMs } = scene.sizes
  const { pid, url } = await server.running()
  // Resets the peak of the resident size.
  await writeFile(`/proc/${pid}/clear_refs`, '5')
  const rssBeforeMiB = await readMiB(pid, 'VmRSS')
  await server.loopDelay()
  const probe = await startProbe({ url, paths: ['/healthz', `/v2/${names.manifest}/manifests/v1`] })
  await delay(settleMs)
  const started = performance.now()
  const outcome = await attempt(row, scene, deadline)
  const seconds = (performance.now() - started) / 1000
  // The work that a row leaves behind belongs to its measurement.
  await untilIdle(url)
  await delay(settleMs)
  const waits = await probe()
  const [loop, rssPeakMiB] = await Promise.all([server.loopDelay(), readMiB(pid, 'VmHWM')])
  const died = await server.forgetDead()
  const { told, problem } = outcome
  return { what: row.what, told, problem: died ?? problem, seconds, waits, loop, rssBeforeMiB, rssPeakMiB }
}

async function attempt(
  row: LoopRow,
  scene: LoopScene,
  deadline: AbortController,
): Promise<Pick<LoopResult, 'told' | 'problem'>> {
  const { deadlineMs } = scene.sizes
  const timer = setTimeout(() => {
    deadline.abort(new Error(`took longer than ${deadlineMs / 1000} s`))
  }, deadlineMs)
  try {
    return { told: await row.run(scene), problem: undefined }
  } catch (error) {
    const cause: unknown = deadline.signal.aborted ? deadline.signal.reason : error
    return { told: '', problem: cause instanceof Error ? cause.message : String(cause) }
  } finally {
    clearTimeout(timer)
  }
}

async function untilIdle(url: string): Promise<void> {
  const end = performance.now() + longestAftermathMs
  for (let quick = 0; quick < idleAnswers && performance.now() < end;) {
    const started = performance.now()
    // `forgetDead` reports a server that has ended.
    await ask(`${url}/healthz`, { timeoutMs: longestAftermathMs }).catch(() => delay(idleAnswerMs))
    quick = performance.now() - started < idleAnswerMs ? quick + 1 : 0
  }
}

/** Starts the probe. Returns a function that ends it and returns the waits. */
async function startProbe(input: ProbeInput): Promise<() => Promise<Waits>> {
  const worker = new Worker(new URL('./probe-worker.ts', import.meta.url), { workerData: input })
  await once(worker, 'message')
  return async () => {
    const told = once(worker, 'message')
    worker.postMessage('stop', [])
    const [waits] = (await told) as [Waits]
    return waits
  }
}

async function readMiB(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
}
