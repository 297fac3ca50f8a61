import { describe, expect, test } from 'vitest'
import { createLogger } from '../telemetry/logger.ts'
import { runCli } from './run.ts'
import { createServeCommand } from './serve.ts'
import type { StartApp } from './serve.ts'

/** Runs `serve` against an application that does nothing but note what is asked of it. */
async function serve(line: string, startApp?: StartApp) {
  const steps: string[] = []
  const log: Record<string, unknown>[] = []
  const err: string[] = []
  const command = createServeCommand({
    startApp:
      startApp ??
      (async ({ http }) => ({
        url: `http://${http.host}:${http.port}`,
        firstAdministrator: undefined,
        reloadTls: () => void steps.push('reload TLS'),
        stop: async (deadlineMs) => void steps.push(`stop ${deadlineMs}`),
        [Symbol.asyncDispose]: async () => void steps.push('dispose'),
      })),
    createLogger: ({ level }) =>
      createLogger({ level, destination: { write: (text) => void log.push(JSON.parse(text)) } }),
  })
  const code = await runCli(line.split(' '), [command], {
    out: () => undefined,
    err: (text) => void err.push(text),
    sources: { env: {}, readFile: () => undefined },
    readStdin: () => Promise.resolve(''),
    askSecret: undefined,
    listenForReload: () => ({ [Symbol.dispose]: () => undefined }),
    listenForStop: () => ({
      requested: Promise.resolve('SIGTERM'),
      [Symbol.dispose]: () => void steps.push('forget signals'),
    }),
  })
  return { code, steps, log, err }
}

describe('serve', () => {
  test('says where it listens, drains on a signal and disposes what it started', async () => {
    const { code, steps, log, err } = await serve('serve --port 5001 --shutdown.drainMs 7')
    expect(code).toBe(0)
    expect(steps).toEqual(['stop 7', 'dispose', 'forget signals'])
    expect(err).toEqual([
      expect.stringMatching(/^lading \S+ serves http:\/\/127\.0\.0\.1:5001 \(data in \.\/data\)$/),
    ])
    expect(log.map(({ msg }) => msg)).toEqual(['listening', 'draining', 'stopped'])
    expect(log[0]).toMatchObject({ url: 'http://127.0.0.1:5001' })
  })

  test.each([
    ['0.0.0.0', true],
    ['::', true],
    ['192.168.1.5', true],
    ['127.0.0.2', false],
    ['::1', false],
    ['localhost', false],
  ])('on %s the warning about an open registry is given: %s', async (host, warned) => {
    const { err, log } = await serve(`serve --host ${host}`)
    expect(err.some((line) => line.startsWith('warning: http.host'))).toBe(warned)
    expect(log.some(({ level }) => level === 'warn')).toBe(warned)
  })

  test('leaves standard error to faults with --json', async () => {
    expect((await serve('serve --json --host 0.0.0.0')).err).toEqual([])
  })

  test('warns that a memory store is lost at exit', async () => {
    expect((await serve('serve --storage.driver memory')).err[0]).toContain('lost at exit')
  })

  test('names the key when the start fails, and exits with 1', async () => {
    const busy = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', syscall: 'listen' })
    const { code, err, steps } = await serve('serve', () => Promise.reject(busy))
    expect(code).toBe(1)
    expect(err).toEqual([expect.stringMatching(/^lading: http\.port: 127\.0\.0\.1:5000 is in use/)])
    expect(steps).toEqual(['forget signals'])
  })
})
