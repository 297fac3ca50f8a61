/** The log of the real program, written to outputs that are full, stall or close. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { findFreePort } from '../support/processes/free-port.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

const entry = join(import.meta.dirname, '../../src/main.ts')
const metricsToken = 'a token of this test alone'

interface Served extends AsyncDisposable {
  readonly child: ChildProcess
  readonly url: string
  readonly folder: string
  stderr(): string
  /** Sends TERM; resolves with the exit code. */
  stop(): Promise<number | null>
}

type Output = number | 'pipe'

interface Options {
  readonly stdout: Output
  readonly stderr?: Output
  /** Whether the test reads standard error; default `true`. */
  readonly readsErrors?: boolean
  /** JavaScript that the process runs before the program. */
  readonly preload?: string
}

/** Starts the program; resolves when it answers, without reading the log. */
async function serve({ stdout, stderr = 'pipe', readsErrors = true, preload }: Options): Promise<Served> {
  const folder = await tempFolder('lading-log')
  const port = await findFreePort()
  const extra =
    preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`]
  const child = spawn(process.execPath, [...extra, entry, 'serve'], {
    cwd: folder.path,
    stdio: ['ignore', stdout, stderr],
    env: {
      PATH: process.env['PATH'],
      LADING_DATA: join(folder.path, 'data'),
      LADING_HTTP_PORT: String(port),
      LADING_LOG_LEVEL: 'debug',
      LADING_METRICS_TOKEN: metricsToken,
    },
  })
  let text = ''
  if (readsErrors) child.stderr?.setEncoding('utf8').on('data', (part: string) => (text += part))
  const url = `http://127.0.0.1:${port}`
  const isUp = async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200
  await eventually(isUp, Boolean, 30_000)
  return {
    child,
    url,
    folder: folder.path,
    stderr: () => text,
    async stop() {
      child.kill('SIGTERM')
      return exitOf(child)
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

/** Sends requests, each of which is a line of the log. */
async function request(url: string, times: number): Promise<void> {
  const path = `/v2/${'a/'.repeat(100)}b/tags/list`
  for (let sent = 0; sent < times; sent += 20) {
    const answers = Array.from({ length: 20 }, () => fetch(`${url}${path}`).then((answer) => answer.text()))
    await Promise.all(answers)
  }
}

async function readMetric(url: string, name: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } })
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(await answer.text())
  return Number(found?.[1])
}

const metric = 'lading_log_dropped_lines_total'

describe('the log', () => {
  test('to a full disk does not affect requests, and TERM drains and reports the lost lines', async () => {
    const full = openSync('/dev/full', 'w')
    await using served = await serve({ stdout: full })
    closeSync(full)
    await request(served.url, 100)
    expect(await served.stop()).toBe(0)
    const [, lost] =
      /lading: (\d+) lines? of the log could not be written \(ENOSPC\)/.exec(served.stderr()) ?? []
    expect(Number(lost)).toBeGreaterThan(100)
  })

  test('and standard error to a full disk do not affect requests and draining', async () => {
    const full = openSync('/dev/full', 'w')
    await using served = await serve({ stdout: full, stderr: full })
    closeSync(full)
    await request(served.url, 20)
    expect(await served.stop()).toBe(0)
  })

  test('to a pipe without a reader does not affect requests and lets TERM end the process', async () => {
    await using folder = await tempFolder('lading-log')
    const path = join(folder.path, 'pipe')
    execFileSync('mkfifo', [path])
    // Opened for reading and writing: opening does not wait for a reader, and nothing reads.
    const pipe = openSync(path, 'r+')
    await using served = await serve({ stdout: pipe })
    await request(served.url, 300)
    expect(await served.stop()).toBe(0)
    closeSync(pipe)
    expect(served.stderr()).toMatch(/lading: \d+ lines? of the log could not be written \(EAGAIN\)/)
  })

  test('to a socket without a reader does not affect requests and lets TERM end the process', async () => {
    // Node's pipe to a child is a socket. Its stream stays paused, so the kernel's buffer fills.
    await using served = await serve({ stdout: 'pipe' })
    await request(served.url, 800)
    expect(await served.stop()).toBe(0)
    expect(served.stderr()).toMatch(/lading: \d+ lines? of the log could not be written \(EAGAIN\)/)
  })

  test('and the notices to a full pipe without a reader let TERM end the process', async () => {
    const preload = `process.stderr.write('x'.repeat(1 << 20))`
    await using served = await serve({ stdout: 'pipe', preload, readsErrors: false })
    expect(await served.stop()).toBe(0)
  })

  test('does not affect requests when its reader ends', async () => {
    await using served = await serve({ stdout: 'pipe' })
    served.child.stdout?.destroy()
    await request(served.url, 100)
    expect(await readMetric(served.url, metric)).toBe(0)
    expect(await served.stop()).toBe(0)
    expect(served.stderr()).toMatch(/lines? of the log could not be written \(EPIPE\)/)
  })

  test('is complete in a file after TERM', async () => {
    await using file = await openLogFile()
    await using served = await serve({ stdout: file.fd })
    await request(served.url, 200)
    expect(await served.stop()).toBe(0)
    const lines = file.read()
    expect(lines.filter(({ path }) => path?.endsWith('/tags/list'))).toHaveLength(200)
    expect(lines.at(-1)).toMatchObject({ msg: 'stopped' })
    expect(served.stderr()).not.toContain('could not be written')
  })

  test('is complete in a file after an uncaught error, which is its last line', async () => {
    await using file = await openLogFile()
    const preload = `process.on('SIGUSR2', () => { throw new Error('broken on purpose') })`
    await using served = await serve({ stdout: file.fd, preload })
    await request(served.url, 200)
    served.child.kill('SIGUSR2')
    expect(await exitOf(served.child)).toBe(1)
    const lines = file.read()
    expect(lines.filter(({ path }) => path?.endsWith('/tags/list'))).toHaveLength(200)
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', err: { message: 'broken on purpose' } })
  })

  test('lets an uncaught error end the process even without a reader', async () => {
    const preload = `process.on('SIGUSR2', () => { throw new Error('broken on purpose') })`
    await using served = await serve({ stdout: 'pipe', preload })
    await request(served.url, 800)
    served.child.kill('SIGUSR2')
    expect(await exitOf(served.child)).toBe(1)
  })
})

interface LogFile extends AsyncDisposable {
  readonly fd: number
  read(): { readonly path?: string }[]
}

async function openLogFile(): Promise<LogFile> {
  const folder = await tempFolder('lading-log')
  const path = join(folder.path, 'lading.log')
  const fd = openSync(path, 'w')
  return {
    fd,
    read: () =>
      readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line): { path?: string } => JSON.parse(line)),
    async [Symbol.asyncDispose]() {
      closeSync(fd)
      await folder[Symbol.asyncDispose]()
    },
  }
}
