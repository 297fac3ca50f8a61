import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { FirstAdministrator } from '../../../identity/accounts/accounts.ts'
import { createLogger } from '../../../telemetry/logger.ts'
import { runCli } from '../../run.ts'
import { createServeCommand } from './serve.ts'
import type { StartApp } from './serve.ts'

interface Terminal {
  /** The lines on standard error. */
  readonly isTerminal?: boolean
  readonly sharesTerminal?: boolean
}

/** Runs `serve`, which receives a request to stop at once. */
async function serve(line: string, startApp?: StartApp, terminal: Terminal = {}) {
  const { isTerminal = true, sharesTerminal = false } = terminal
  const steps: string[] = []
  const log: Record<string, unknown>[] = []
  const err: string[] = []
  const command = createServeCommand({
    startApp: startApp ?? startWith(undefined, steps),
    openLog: ({ level }) => ({
      logger: createLogger({ level, destination: { write: (text) => void log.push(JSON.parse(text)) } }),
      droppedLines: () => 0,
      sharesTerminal,
      endProcess: (error) => {
        throw error
      },
      [Symbol.asyncDispose]: async () => void steps.push('close the log'),
    }),
  })
  const code = await runCli(line.split(' '), [command], {
    out: () => undefined,
    err: (text) => void err.push(text),
    isTerminal,
    sources: { env: {}, readFile: () => undefined },
    readStdin: () => Promise.resolve(''),
    terminal: undefined,
    listenForReload: () => ({ [Symbol.dispose]: () => undefined }),
    listenForStop: () => ({
      requested: Promise.resolve('SIGTERM'),
      [Symbol.dispose]: () => void steps.push('forget signals'),
    }),
  })
  return { code, steps, log, err }
}

/** An application that only records its calls. */
function startWith(firstAdministrator: FirstAdministrator | undefined, steps: string[] = []): StartApp {
  return async ({ http }) => ({
    url: `http://${http.host}:${http.port}`,
    firstAdministrator,
    reloadTls: () => void steps.push('reload TLS'),
    stop: async (deadlineMs) => void steps.push(`stop ${deadlineMs}`),
    [Symbol.asyncDispose]: async () => void steps.push('dispose'),
  })
}

describe('serve', () => {
  test('reports its address, drains on a signal and disposes everything', async () => {
    const { code, steps, log, err } = await serve('serve --port 5001 --shutdown.drainMs 7')
    expect(code).toBe(0)
    // The log is closed last, because everything else may write to it.
    expect(steps).toEqual(['stop 7', 'dispose', 'forget signals', 'close the log'])
    expect(err).toEqual([
      expect.stringMatching(/^lading \S+ serves http:\/\/127\.0\.0\.1:5001 \(data in \.\/data\)$/),
    ])
    expect(log.map(({ msg }) => msg)).toEqual(['listening', 'draining', 'stopped'])
    expect(log[0]).toMatchObject({ url: 'http://127.0.0.1:5001' })
  })

  test.each([
    ['--host 0.0.0.0', ['without TLS']],
    ['--host ::', ['without TLS']],
    ['--host 192.168.1.5', ['without TLS']],
    ['--host 0.0.0.0 --auth.anonymous push', ['without TLS', 'auth.anonymous is push']],
    ['--host 0.0.0.0 --http.publicUrl https://a.example --http.trustedProxies 10.0.0.0/8', []],
    ['--host 0.0.0.0 --http.publicUrl https://a.example', ['without TLS']],
    ['--host 0.0.0.0 --http.tls.cert a.crt --http.tls.key a.key', []],
    ['--host 127.0.0.2 --auth.anonymous push', []],
    ['--host ::1', []],
    ['--host localhost', []],
    ['--metrics.port 0 --metrics.host 0.0.0.0', ['without a token']],
  ])('with %s warns of %j', async (flags, expected) => {
    const { err, log } = await serve(`serve --port 0 ${flags}`)
    const warnings = err.filter((line) => line.startsWith('warning: '))
    expect(warnings).toEqual(expected.map((text) => expect.stringContaining(text)))
    expect(log.filter(({ level }) => level === 'warn')).toHaveLength(expected.length)
  })

  test('warns of another program on [::1]', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen({ host: '::1', port: 0 }, resolve))
    const { port } = other.address() as AddressInfo
    const { err } = await serve(`serve --port ${port}`)
    other.close()
    expect(err.at(-1)).toContain(`another program listens on [::1]:${port}`)
  })

  test('G1: shows the first password once, at a terminal and never in the log', async () => {
    const generated = { password: 'hunter2-hunter2', file: './data/admin-password' }
    const { err, log } = await serve('serve --port 0', startWith({ name: 'admin', generated }))
    expect(err.filter((line) => line.includes(generated.password))).toHaveLength(1)
    expect(err.join(' ')).toContain('saved in ./data/admin-password until you change it')
    expect(JSON.stringify(log)).not.toContain(generated.password)
    const configured = await serve('serve --port 0', startWith({ name: 'root', generated: undefined }))
    expect(configured.err).toContain('created administrator root with the configured password')
  })

  test('G1: names the file of the first password where standard error is not a terminal', async () => {
    const generated = { password: 'hunter2-hunter2', file: './data/admin-password' }
    const startApp = startWith({ name: 'admin', generated })
    const { err, log } = await serve('serve --port 0', startApp, { isTerminal: false })
    expect(err[1]).toBe(
      'created administrator admin; its password is in ./data/admin-password until you change it: lading user password admin',
    )
    expect(JSON.stringify([err, log])).not.toContain(generated.password)
  })

  test('prints each message once if the log and standard error share a terminal', async () => {
    const generated = { password: 'hunter2-hunter2', file: './data/admin-password' }
    const startApp = startWith({ name: 'admin', generated })
    const { err, log } = await serve('serve --port 5002 --host 0.0.0.0', startApp, {
      sharesTerminal: true,
    })
    expect(err).toEqual([
      expect.stringMatching(/^lading \S+ serves /),
      'created administrator admin with the password hunter2-hunter2',
      expect.stringMatching(/^saved in /),
      expect.stringMatching(/^warning: .*without TLS/),
    ])
    expect(log.map(({ msg }) => msg)).toEqual(['draining', 'stopped'])
  })

  test('writes only errors to standard error with --json', async () => {
    expect((await serve('serve --json --host 0.0.0.0')).err).toEqual([])
  })

  test('warns that a memory store is lost at exit', async () => {
    expect((await serve('serve --storage.driver memory')).err[0]).toContain('lost at exit')
  })

  test('passes on --adopt-store only if it is given', async () => {
    const orders: boolean[] = []
    const startApp: StartApp = (config, deps) => {
      orders.push(deps.adoptStore)
      return startWith(undefined)(config, deps)
    }
    await serve('serve --port 0 --adopt-store', startApp)
    await serve('serve --adopt-store --port 0', startApp)
    await serve('serve --port 0', startApp)
    expect(orders).toEqual([true, true, false])
    expect((await serve('serve --adopt-store=yes', startApp)).code).toBe(2)
  })

  test('names the key if the start fails, and exits with 1', async () => {
    const busy = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', syscall: 'listen' })
    const { code, err, steps } = await serve('serve', () => Promise.reject(busy))
    expect(code).toBe(1)
    expect(err).toEqual([expect.stringMatching(/^lading: http\.port: 127\.0\.0\.1:5000 is in use/)])
    expect(steps).toEqual(['forget signals', 'close the log'])
  })
})
