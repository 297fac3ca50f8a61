/** Jib, which builds images of Java projects without Docker; `scripts/tools/clients/jib` drives its library. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { runTool } from '../support/processes/run-tool.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome, mounts, uploadedBytes } from './client-at-home.ts'
import { installedTool } from './client-programs.ts'
import type { Credentials } from './run-client.ts'

installedTool('jib/installed', 'jib-client.sh')
const classPath = `${installedTool('jib/classes', 'jib-client.sh')}:${installedTool('jib/lib', 'jib-client.sh')}/*`
let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

interface Jib extends ClientAtHome {
  /** Runs an operation and returns the digest of the image; `args` are relative to the registry's host. */
  jib(operation: string, ...args: readonly string[]): Promise<string>
}

/** Starts Jib; images consist of `a.bin` and `b.bin` in its home folder. */
async function start(url: string, credentials?: Credentials): Promise<Jib> {
  const login =
    credentials === undefined ? {} : { JIB_USER: credentials.name, JIB_PASSWORD: credentials.password }
  const client = await aClientAtHome({ path: 'java' }, { url, env: login })
  for (const name of ['a.bin', 'b.bin']) await writeFile(join(client.home, name), randomBytes(300_000))
  // Without the first option Jib does not send the password over plain HTTP.
  const options = ['-DsendCredentialsOverHttp=true', '-XX:TieredStopAtLevel=1', '-cp', classPath]
  return {
    ...client,
    jib: (operation, ...args) => client.run(...options, 'JibClient', operation, ...args),
  }
}

/** Returns the names and lengths of the files in the layers of a saved image, in the order of the layers. */
async function savedFiles({ home }: ClientAtHome, tar: string): Promise<readonly string[]> {
  const manifest = await runTool('tar', '-xOf', join(home, tar), 'manifest.json')
  const [image] = JSON.parse(manifest) as readonly { readonly Layers: readonly string[] }[]
  const listed = (image?.Layers ?? []).map((layer) =>
    runTool('sh', '-c', 'tar -xOf "$0" "$1" | tar -tzf -', join(home, tar), layer),
  )
  return (await Promise.all(listed)).flatMap((names) =>
    names.split('\n').filter((name) => !name.endsWith('/')),
  )
}

describe('Jib', () => {
  test('pushes and pulls without a login if everyone may', async () => {
    await using open = await startRegistry()
    await using client = await start(open.url)
    const image = `${client.host}/anyone/app:v1`

    await client.jib('build', image, 'a.bin', 'b.bin')
    await client.jib('save', image, 'saved.tar')

    expect(await savedFiles(client, 'saved.tar')).toEqual(['app/a.bin', 'app/b.bin'])
  })

  test('pushes a private image only with the right password, and pulls it', async () => {
    const build = async (credentials?: Credentials) => {
      await using client = await start(registry.url, credentials)
      await client.jib('build', `${client.host}/alice/app:v1`, 'a.bin')
    }

    await expect(build()).rejects.toThrow('RegistryUnauthorizedException')
    await expect(build({ ...alice, password: 'wrong' })).rejects.toThrow('incorrect name or password')
    await expect(build(bob)).rejects.toThrow('RegistryUnauthorizedException')
    await build(alice)

    await using client = await start(registry.url, alice)
    await client.jib('save', `${client.host}/alice/app:v1`, 'saved.tar')
    expect(await savedFiles(client, 'saved.tar')).toEqual(['app/a.bin'])
  })

  test('adds a layer to an image, and mounts its other layers instead of sending them', async () => {
    await using client = await start(registry.url, alice)
    const [base, image] = [`${client.host}/alice/base:v1`, `${client.host}/alice/extended:v1`]
    await client.jib('build', base, 'a.bin')
    const before = client.seen.length

    await client.jib('extend', base, image, 'b.bin')

    const extending = client.seen.slice(before)
    expect(mounts(extending)).toContain(201)
    expect(uploadedBytes(extending)).toBeLessThan(310_000)
    await client.jib('save', image, 'saved.tar')
    expect(await savedFiles(client, 'saved.tar')).toEqual(['app/a.bin', 'app/b.bin'])
  })

  test('pulls a public image without a login', async () => {
    await using pusher = await start(registry.url, alice)
    await pusher.jib('build', `${pusher.host}/alice/public:v1`, 'a.bin')
    await setVisibility(registry, 'alice/public', 'public')
    await using client = await start(registry.url)

    await client.jib('save', `${client.host}/alice/public:v1`, 'saved.tar')

    expect(await savedFiles(client, 'saved.tar')).toEqual(['app/a.bin'])
  })
})
