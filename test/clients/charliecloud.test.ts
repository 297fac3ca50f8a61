/** Charliecloud: its ch-image supports only TLS and requests each `Location` unchanged. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { anOciLayout } from '../support/content/oci-layout.ts'
import type { TempFolder } from '../support/processes/temp-folder.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { alice, bob, setVisibility } from './accounts.ts'
import { pushLayout } from './layouts.ts'
import type { Credentials } from './run-client.ts'
import { runClient } from './run-client.ts'
import { startTlsRegistry } from './tls-registry.ts'
import type { TlsRegistry } from './tls-registry.ts'

const refused = 'unauthorized or not in registry'
let tls: TlsRegistry

beforeAll(async () => {
  tls = await startTlsRegistry()
})
afterAll(async () => {
  await tls[Symbol.asyncDispose]()
})

interface Charliecloud extends TempFolder {
  pull(repository: string, credentials?: Credentials): Promise<void>
  push(source: string, target: string, credentials: Credentials): Promise<void>
  /** Returns one of the random files of a test image, as it was unpacked. */
  file(repository: string, name: string): Promise<Buffer>
}

/** Starts Charliecloud with its own store. Debian's Python runs it, whichever Python comes first on the path. */
async function aCharliecloud(): Promise<Charliecloud> {
  const folder = await tempFolder('charliecloud')
  const { host } = tls.registry
  const run = async (args: readonly string[], login: Readonly<Record<string, string>> = {}) => {
    const env = {
      HOME: folder.path,
      USER: 'tester',
      CH_IMAGE_STORAGE: join(folder.path, 'store'),
      // The cache is a Git repository, which needs a name and an address.
      CH_IMAGE_CACHE: 'disabled',
      REQUESTS_CA_BUNDLE: tls.certificate,
      ...login,
    }
    await runClient('/usr/bin/python3', ['/usr/bin/ch-image', ...args], { cwd: folder.path, env })
  }
  return {
    ...folder,
    pull: (repository, credentials) =>
      credentials === undefined
        ? run(['pull', `${host}/${repository}:v1`])
        : run(['--auth', 'pull', `${host}/${repository}:v1`], loginOf(credentials)),
    push: (source, target, credentials) =>
      run(['push', `${host}/${source}:v1`, `${host}/${target}:v1`], loginOf(credentials)),
    file: (repository, name) => {
      const image = `${host}/${repository}:v1`.replace(':', '+').replaceAll('/', '%').replace(':', '+')
      return readFile(join(folder.path, 'store/img', image, name))
    },
  }
}

function loginOf({ name, password }: Credentials): Readonly<Record<string, string>> {
  return { CH_IMAGE_USERNAME: name, CH_IMAGE_PASSWORD: password }
}

async function pushed(repository: string): Promise<void> {
  await using layout = await anOciLayout()
  await pushLayout(layout, `${tls.registry.host}/${repository}:v1`, { as: alice })
}

describe('Charliecloud', () => {
  test('pulls a private image only with the right password, and pushes it elsewhere', async () => {
    await using charliecloud = await aCharliecloud()
    await using second = await aCharliecloud()
    await pushed('alice/private')

    await expect(charliecloud.pull('alice/private')).rejects.toThrow(refused)
    await expect(charliecloud.pull('alice/private', { ...alice, password: 'wrong' })).rejects.toThrow(refused)
    await expect(charliecloud.pull('alice/private', bob)).rejects.toThrow(refused)
    await charliecloud.pull('alice/private', alice)
    await expect(charliecloud.push('alice/private', 'alice/pushed', bob)).rejects.toThrow(
      'unhandled authentication failure',
    )
    await charliecloud.push('alice/private', 'alice/pushed', alice)
    await second.pull('alice/pushed', alice)

    expect(await second.file('alice/pushed', 'file-1')).toEqual(
      await charliecloud.file('alice/private', 'file-1'),
    )
  })

  test('pulls a public image without a login', async () => {
    await using charliecloud = await aCharliecloud()
    await pushed('alice/public')
    await setVisibility(tls.registry, 'alice/public', 'public')

    await charliecloud.pull('alice/public')

    expect(await charliecloud.file('alice/public', 'file-0')).toHaveLength(100_000)
  })
})
