/** Breaks each part in turn: the doctor names it, says what to do and exits with 1. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../../../test/support/content/certificate.ts'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { runLading } from '../../../../test/support/processes/run-lading.ts'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'
import { createDoctorCommand } from './doctor.ts'
import { judgeClock, judgeDisk } from './check-machine.ts'
import type { Finding } from './finding.ts'

interface Diagnosis {
  readonly code: number
  readonly healthy: boolean
  readonly findings: readonly Finding[]
  readonly of: (check: string) => readonly Finding[]
}

async function examine(flags: string, now = Date.now()): Promise<Diagnosis> {
  const commands = [createDoctorCommand({ clock: { now: () => now } })]
  const { code, json } = await runLading(`doctor --json ${flags}`, { commands })
  const { healthy, findings } = json() as Pick<Diagnosis, 'healthy' | 'findings'>
  return { code, healthy, findings, of: (check) => findings.filter((finding) => finding.check === check) }
}

/** The data folder of a stopped registry. */
async function stoppedFolder() {
  const folder = await tempFolder()
  const dataDir = join(folder.path, 'data')
  await runLading(`migrate --data ${dataDir}`)
  return { folder, dataDir, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

/** A program that is not a registry and never answers. */
async function holdPort(host: string) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end('220 mail.example.com\r\n', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve))
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

const dayMs = 24 * 60 * 60 * 1000

describe('doctor', () => {
  test('finds a running registry healthy', async () => {
    await using registry = await startInProcess()
    const { port } = new URL(registry.url)
    const { code, healthy, findings } = await examine(`--data ${registry.dataDir} --port ${port}`)
    expect({ code, healthy }).toEqual({ code: 0, healthy: true })
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([
      {
        check: 'access',
        state: 'warning',
        message: `the generated password of the first administrator is still in ${join(registry.dataDir, 'admin-password')}`,
        advice: 'set a new password with lading user password, which removes the file',
      },
    ])
    expect(findings.map(({ message }) => message)).toContain(`a registry answers on 127.0.0.1:${port}`)
  })

  test('creates nothing in an empty place', async () => {
    await using folder = await tempFolder()
    const { code, of } = await examine(`--data ${join(folder.path, 'data')} --port 0`)
    expect(code).toBe(0)
    for (const check of ['disk', 'database', 'store']) expect(of(check)).toMatchObject([{ state: 'warning' }])
    expect(readdirSync(folder.path)).toEqual([])
  })

  test('prints a line per finding, with what to do', async () => {
    await using folder = await tempFolder()
    const { out } = await runLading(`doctor --data ${join(folder.path, 'data')} --port 0`)
    expect(out).toMatch(/^warning {2}database {2}there is no database in .* yet; lading serve creates it/m)
    expect(out).toMatch(/^ok {7}tls {7}off$/m)
  })

  test('recognizes a database that a newer version wrote', async () => {
    await using stopped = await stoppedFolder()
    const database = new DatabaseSync(join(stopped.dataDir, 'lading.db'))
    database.exec("insert into schema_migration (name, applied_at) values ('9999-later', 1)")
    database.close()
    const { code, of } = await examine(`--data ${stopped.dataDir} --port 0`)
    expect(code).toBe(1)
    expect(of('database')[0]).toMatchObject({
      state: 'broken',
      message: 'a newer version wrote it (9999-later)',
    })
  })

  test('recognizes a damaged database', async () => {
    await using stopped = await stoppedFolder()
    const file = join(stopped.dataDir, 'lading.db')
    const database = new DatabaseSync(file)
    database.exec('pragma journal_mode = delete')
    const row = database.prepare("select rootpage from sqlite_schema where name = 'tag'").get()
    database.close()
    const bytes = readFileSync(file)
    // A page type that does not exist.
    bytes[(Number(row?.['rootpage']) - 1) * bytes.readUInt16BE(16)] = 0x77
    writeFileSync(file, bytes)
    const { code, of } = await examine(`--data ${stopped.dataDir} --port 0`)
    expect(code).toBe(1)
    expect(of('database')[0]).toMatchObject({
      state: 'broken',
      advice: expect.stringContaining('lading restore --database-only') as unknown,
    })
  })

  test('distinguishes a database without tables, left by an interrupted first start, from a broken one', async () => {
    await using folder = await tempFolder()
    new DatabaseSync(join(folder.path, 'lading.db')).exec('pragma journal_mode = wal')
    const { of } = await examine(`--data ${folder.path} --port 0`)
    expect(of('database')).toMatchObject([
      { state: 'warning', advice: expect.stringContaining('lading migrate') },
      { state: 'ok' },
    ])
  })

  test('recognizes a file that is not a database', async () => {
    await using folder = await tempFolder()
    writeFileSync(join(folder.path, 'lading.db'), 'nothing of the kind'.repeat(100))
    const { code, of } = await examine(`--data ${folder.path} --port 0`)
    expect(code).toBe(1)
    expect(of('database')).toMatchObject([
      {
        state: 'broken',
        message: expect.stringContaining('file is not a database'),
        advice: expect.stringContaining('lading restore --database-only'),
      },
    ])
  })

  test('does not say that a store belongs to a database that cannot be read', async () => {
    await using folder = await tempFolder()
    {
      await using _registry = await startInProcess({ dataDir: folder.path })
    }
    writeFileSync(join(folder.path, 'lading.db'), 'nothing of the kind'.repeat(100))
    const { of } = await examine(`--data ${folder.path} --port 0`)
    expect(of('store')).toMatchObject([{ state: 'ok', message: 'it writes, reads and deletes' }])
  })

  test.each([
    ['missing', (file: string) => rmSync(file)],
    ['empty', (file: string) => writeFileSync(file, '')],
  ])('says what a start says when the database beside a store is %s', async (_, lose) => {
    await using stopped = await stoppedFolder()
    const file = join(stopped.dataDir, 'lading.db')
    const store = join(stopped.dataDir, 'store')
    mkdirSync(store)
    writeFileSync(join(store, 'installation'), '0123456789abcdef0123456789abcdef\n')
    lose(file)
    writeFileSync(`${file}-wal`, 'the last writes')
    const { code, of } = await examine(`--data ${stopped.dataDir} --port 0`)
    expect(code).toBe(1)
    expect(of('database')).toMatchObject([
      { state: 'broken', message: expect.stringContaining('is missing or empty, but its log') },
    ])
    expect(of('store')).toMatchObject([
      { state: 'broken', message: expect.stringContaining('belongs to installation 0123456789abcdef') },
    ])
    rmSync(`${file}-wal`)
    const [database] = (await examine(`--data ${stopped.dataDir} --port 0`)).of('database')
    expect(database).toMatchObject({
      state: 'warning',
      message: expect.stringContaining('there is no database'),
    })
    expect(database?.advice).not.toContain('first start')
  })

  test('recognizes the store of another installation, and a store that cannot be written', async () => {
    await using registry = await startInProcess()
    const flags = `--data ${registry.dataDir} --port 0`
    const installation = join(registry.dataDir, 'store', 'installation')
    writeFileSync(installation, '0123456789abcdef0123456789abcdef\n')
    expect((await examine(flags)).of('store')).toMatchObject([
      { state: 'broken', message: expect.stringContaining('belongs to installation 0123456789abcdef') },
    ])
    rmSync(join(registry.dataDir, 'store', 'uploads'), { recursive: true })
    writeFileSync(join(registry.dataDir, 'store', 'uploads'), 'a file where a folder should be')
    const { code, of } = await examine(flags)
    expect(code).toBe(1)
    expect(of('store')).toMatchObject([
      { state: 'broken', advice: expect.stringContaining('check who owns') },
    ])
  })

  test.each([
    ['today', 0, 'warning', 'expires in 0 days'],
    ['after its end', 2 * dayMs, 'broken', 'expired on'],
    ['before its beginning', -2 * dayMs, 'broken', 'is not valid before'],
  ])('judges a certificate %s', async (_, ahead, state, message) => {
    await using folder = await tempFolder()
    const { cert, key } = createCertificate()
    const [certFile, keyFile] = [join(folder.path, 'tls.crt'), join(folder.path, 'tls.key')]
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key)
    const flags = `--data ${folder.path} --port 0 --http.tls.cert ${certFile} --http.tls.key ${keyFile}`
    const { of } = await examine(`${flags} --http.publicUrl https://other.example.com`, Date.now() + ahead)
    expect(of('tls')).toMatchObject([
      { state, message: expect.stringContaining(message) },
      { state: 'warning', message: expect.stringContaining('not for other.example.com') },
    ])
    expect((await examine(`${flags} --http.publicUrl https://localhost:5000`)).of('tls')).toHaveLength(1)
  })

  test('G1: recognizes the key of another certificate, and quotes neither', async () => {
    await using folder = await tempFolder()
    const [certFile, keyFile] = [join(folder.path, 'tls.crt'), join(folder.path, 'tls.key')]
    const { key } = createCertificate()
    writeFileSync(certFile, createCertificate().cert)
    writeFileSync(keyFile, key)
    const { code, of } = await examine(
      `--data ${folder.path} --port 0 --http.tls.cert ${certFile} --http.tls.key ${keyFile}`,
    )
    expect(code).toBe(1)
    expect(of('tls')).toMatchObject([
      { state: 'broken', message: expect.stringContaining('is not the key of the certificate') },
    ])
    expect(JSON.stringify(of('tls'))).not.toContain(key.split('\n')[1])
  })

  test('recognizes a port that another program uses', async () => {
    await using folder = await tempFolder()
    await using other = await holdPort('127.0.0.1')
    const { code, of } = await examine(`--data ${folder.path} --port ${other.port}`)
    expect(code).toBe(1)
    expect(of('ports')).toMatchObject([
      { state: 'broken', message: expect.stringContaining('is not a registry') },
    ])
  })

  test('warns of another program on [::1]', async () => {
    await using folder = await tempFolder()
    await using other = await holdPort('::1')
    const { code, of } = await examine(`--data ${folder.path} --port ${other.port}`)
    expect(code).toBe(0)
    expect(of('ports')).toMatchObject([
      { state: 'ok' },
      {
        state: 'warning',
        message: expect.stringContaining(`another program listens on [::1]:${other.port}`),
      },
    ])
  })

  test('warns of open access', async () => {
    await using folder = await tempFolder()
    const { of } = await examine(
      `--data ${folder.path} --port 0 --host 0.0.0.0 --auth.anonymous push --metrics.port 0 --metrics.host 0.0.0.0`,
    )
    expect(of('access').map(({ message }) => message)).toEqual([
      expect.stringContaining('without TLS'),
      expect.stringContaining('auth.anonymous is push'),
      expect.stringContaining('metrics.host is 0.0.0.0 without a token'),
    ])
  })

  test('recognizes a wrong clock', async () => {
    await using folder = await tempFolder()
    const { code, of } = await examine(`--data ${folder.path} --port 0`, 0)
    expect(code).toBe(1)
    expect(of('clock')).toMatchObject([
      { state: 'broken', message: expect.stringContaining('the year 1970') },
    ])
  })

  test('compares the clocks of disk and machine, and leaves no probe', async () => {
    await using folder = await tempFolder()
    const { of } = await examine(`--data ${folder.path} --port 0`, Date.now() + dayMs)
    expect(of('clock')).toMatchObject([{ state: 'warning', message: expect.stringContaining('behind') }])
    expect(readdirSync(folder.path)).toEqual([])
    expect(existsSync(folder.path)).toBe(true)
  })
})

describe('judgeDisk', () => {
  const disk = { blocks: 1_000_000, bsize: 4096, bavail: 500_000, files: 1_000_000, ffree: 500_000 }
  test.each([
    ['ok', {}],
    ['warning', { bavail: 40_000 }],
    ['broken', { bavail: 10_000 }],
    ['warning', { ffree: 100 }],
    ['ok', { files: 0, ffree: 0 }],
  ])('says %s for %j', (state, figures) => {
    expect(judgeDisk('./data', { ...disk, ...figures }).state).toBe(state)
  })
})

describe('judgeClock', () => {
  test.each([
    [0, 'ok'],
    [4_000, 'ok'],
    [-60_000, 'warning'],
    [60_000, 'warning'],
  ])('%i ms is %s', (away, state) => {
    expect(judgeClock('the clock of the database', away).state).toBe(state)
  })
})
