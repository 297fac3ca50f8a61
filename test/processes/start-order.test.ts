/** A failed start leaves nothing behind: everything that can fail is checked before anything is created. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

/** Returns the output of a failed start, and the files that it leaves in the folder above its data folder. */
async function failStart(options: {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly prepare?: (folder: string) => void
}) {
  await using folder = await tempFolder('lading-start')
  options.prepare?.(folder.path)
  const before = readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).sort()
  const { args = [], env = {} } = options
  const fresh = join(folder.path, 'data')
  let said = ''
  try {
    const argv = ['--data', fresh, ...args].map((argument) => argument.replace('<folder>', folder.path))
    await using registry = await startRegistry({ dataDir: folder.path, args: argv, env })
    said = `it listens on ${registry.url}`
  } catch (error) {
    said = String(error)
  }
  const after = readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).sort()
  return { said, left: after.filter((path) => !before.includes(path)) }
}

async function holdPort() {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

describe('a start that fails', () => {
  test('on a port in use leaves nothing behind', async () => {
    await using held = await holdPort()
    const { said, left } = await failStart({ args: ['--port', String(held.port)] })
    expect(said).toContain(`http.port: 127.0.0.1:${held.port} is in use`)
    expect(left).toEqual([])
  })

  test('on a port for metrics in use names that key and leaves nothing behind', async () => {
    await using held = await holdPort()
    const { said, left } = await failStart({ args: ['--metrics.port', String(held.port)] })
    expect(said).toContain(`metrics.port: cannot listen on 127.0.0.1:${held.port}`)
    expect(left).toEqual([])
  })

  test('with an invalid TLS file leaves nothing behind', async () => {
    const { said, left } = await failStart({
      prepare: (folder) => writeFileSync(join(folder, 'tls'), 'not PEM'),
      args: ['--http.tls.cert', '<folder>/tls', '--http.tls.key', '<folder>/tls'],
    })
    expect(said).toContain('http.tls.cert')
    expect(left).toEqual([])
  })

  test('with an invalid first administrator leaves nothing behind', async () => {
    const env = { LADING_ADMIN_NAME: 'operator', LADING_ADMIN_PASSWORD: 'Operator' }
    const { said, left } = await failStart({ env })
    expect(said).toContain('it must differ from the name of the account')
    expect(left).toEqual([])
  })

  test('with a store of another program leaves nothing behind', async () => {
    const { said, left } = await failStart({
      prepare: (folder) => {
        mkdirSync(join(folder, 'data', 'store', 'uploads'), { recursive: true })
        writeFileSync(join(folder, 'data', 'store', 'uploads', 'notes.txt'), 'x')
      },
    })
    expect(said).toContain('holds files without an installation id')
    expect(left).toEqual([])
  })

  test('with an invalid database removes the folders that it made, and no file', async () => {
    const { said, left } = await failStart({
      prepare: (folder) => {
        mkdirSync(join(folder, 'data'))
        writeFileSync(join(folder, 'data', 'lading.db'), 'nothing of the kind'.repeat(100))
      },
    })
    expect(said).toContain('data: cannot use the database')
    expect(left).toEqual([])
  })

  test('with a file in place of the data folder names it', async () => {
    const { said, left } = await failStart({ prepare: (folder) => writeFileSync(join(folder, 'data'), '') })
    expect(said).toContain('data: cannot use the folder')
    expect(left).toEqual([])
  })

  test.skipIf(process.platform !== 'linux')('in /proc ends with an error instead of spinning', async () => {
    const { said } = await failStart({ args: ['--data', '/proc/x'] })
    expect(said).toContain(
      'data: cannot use the folder /proc/x: it cannot be made in /proc (ENOENT); choose another with --data or LADING_DATA',
    )
  })
})
