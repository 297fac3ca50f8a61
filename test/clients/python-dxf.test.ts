/** python-dxf, which stores files of any kind as blobs under tags. It sends a password only over TLS. */
import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startRegistry } from '../support/processes/start-registry.ts'
import type { TempFolder } from '../support/processes/temp-folder.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { alice, bob, setVisibility } from './accounts.ts'
import { installedTool } from './client-programs.ts'
import type { Credentials } from './run-client.ts'
import { runClient } from './run-client.ts'
import { startTlsRegistry } from './tls-registry.ts'
import type { TlsRegistry } from './tls-registry.ts'

const program = installedTool('python-clients/bin/dxf', 'python-clients.sh')
const bytes = randomBytes(300_000)
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
let tls: TlsRegistry
let folder: TempFolder

beforeAll(async () => {
  tls = await startTlsRegistry()
  folder = await tempFolder('dxf')
  await writeFile(join(folder.path, 'data.bin'), bytes)
})
afterAll(async () => {
  await folder[Symbol.asyncDispose]()
  await tls[Symbol.asyncDispose]()
})

/** Runs dxf and returns its stdout, trimmed. */
type Dxf = (...args: readonly string[]) => Promise<string>

function dxf(env: Readonly<Record<string, string>>): Dxf {
  return async (...args) => {
    const { stdout } = await runClient(program, args, {
      cwd: folder.path,
      env: { ...env, DXF_PROGRESS: '0' },
    })
    return stdout.trim()
  }
}

function secure(credentials?: Credentials): Dxf {
  const login =
    credentials === undefined ? {} : { DXF_USERNAME: credentials.name, DXF_PASSWORD: credentials.password }
  return dxf({ DXF_HOST: tls.registry.host, DXF_TLSVERIFY: tls.certificate, ...login })
}

/** Reads the file back by its tag; dxf checks it against the digest and can print the length. */
async function pulled(run: Dxf, repository: string): Promise<string> {
  expect(await run('get-alias', repository, 'v1')).toBe(digest)
  return await run('blob-size', repository, '@v1')
}

describe('python-dxf', () => {
  test('pushes and pulls without a login if everyone may', async () => {
    await using open = await startRegistry()
    const run = dxf({ DXF_HOST: open.host, DXF_INSECURE: '1' })

    expect(await run('push-blob', 'anyone/data', 'data.bin', '@v1')).toBe(digest)
    expect(await pulled(run, 'anyone/data')).toBe('300000')
    await run('mount-blob', 'anyone/other', 'anyone/data', digest, '@v2')

    expect(await run('list-aliases', 'anyone/other')).toBe('v2')
    expect(await run('list-repos')).toBe('anyone/data\nanyone/other')
  })

  test('pushes a private file only with the right password, and pulls it', async () => {
    const push = (run: Dxf) => run('push-blob', 'alice/data', 'data.bin', '@v1')

    await expect(push(secure())).rejects.toThrow('DXFUnauthorizedError')
    await expect(push(secure({ ...alice, password: 'wrong' }))).rejects.toThrow('DXFUnauthorizedError')
    await expect(push(secure(bob))).rejects.toThrow('DXFUnauthorizedError')
    expect(await push(secure(alice))).toBe(digest)

    expect(await pulled(secure(alice), 'alice/data')).toBe('300000')
    await expect(pulled(secure(bob), 'alice/data')).rejects.toThrow('DXFUnauthorizedError')
    await setVisibility(tls.registry, 'alice/data', 'public')
    expect(await pulled(secure(), 'alice/data')).toBe('300000')
  })

  test('gets a token for the given scopes, and pushes with it', async () => {
    const token = await secure(alice)('auth', 'alice/token', 'pull', 'push')
    const run = dxf({ DXF_HOST: tls.registry.host, DXF_TLSVERIFY: tls.certificate, DXF_TOKEN: token })

    await run('push-blob', 'alice/token', 'data.bin', '@v1')

    expect(await pulled(run, 'alice/token')).toBe('300000')
  })

  test('deletes a tag', async () => {
    const run = secure(alice)
    await run('push-blob', 'alice/delete', 'data.bin', '@v1')

    await run('del-alias', 'alice/delete', 'v1')

    await expect(run('get-alias', 'alice/delete', 'v1')).rejects.toThrow('404')
  })
})
