/** udocker, which runs containers without privileges: it pulls with curl and reads only the last line of a challenge. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { OciLayout } from '../support/content/oci-layout.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome } from './client-at-home.ts'
import { installedTool } from './client-programs.ts'
import { pushLayout } from './layouts.ts'
import type { Credentials } from './run-client.ts'

const program = { path: installedTool('python-clients/bin/udocker', 'python-clients.sh') }
/** The first message means a wrong login, the second missing rights. */
const refused = /^Error: (manifest not found or not authorized|pulling manifest:)$/m
let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

interface Udocker extends ClientAtHome {
  udocker(...args: readonly string[]): Promise<string>
  login(credentials: Credentials): Promise<string>
}

/** Starts udocker without the programs that it would download to run containers. */
async function start(): Promise<Udocker> {
  const client = await aClientAtHome(program, { url: registry.url, env: { UDOCKER_TARBALL: '' } })
  const udocker = (...args: readonly string[]) => client.run('--allow-root', ...args)
  const login = ({ name, password }: Credentials) =>
    udocker('login', `--username=${name}`, `--password=${password}`, `--registry=http://${client.host}`)
  return { ...client, udocker, login }
}

function pull(client: Udocker, image: string): Promise<string> {
  return client.udocker('pull', '--platform=linux/amd64', `--registry=http://${client.host}`, image)
}

/** Returns the digests of the image's config and layers that its store lacks or has with other bytes. */
async function missing({ home }: ClientAtHome, layout: OciLayout): Promise<readonly string[]> {
  const compared = (layout.images[0]?.blobs ?? []).map(async ({ digest, bytes }) => {
    const stored = await readFile(join(home, '.udocker/layers', digest)).catch(() => undefined)
    return stored?.equals(bytes) === true ? [] : [digest]
  })
  return (await Promise.all(compared)).flat()
}

describe('udocker', () => {
  test('pulls a private image only with the right password: its platform of an index', async () => {
    await using client = await start()
    await using layout = await anOciLayout()
    await pushLayout(layout, `${registry.host}/alice/private:v1`, { as: alice })

    await expect(pull(client, 'alice/private:v1')).rejects.toThrow(refused)
    await client.login({ ...alice, password: 'wrong' })
    await expect(pull(client, 'alice/private:v1')).rejects.toThrow(refused)
    await client.login(bob)
    await expect(pull(client, 'alice/private:v1')).rejects.toThrow(refused)
    await client.login(alice)
    await pull(client, 'alice/private:v1')

    expect(await missing(client, layout)).toEqual([])
  })

  test('pulls a public image without a login', async () => {
    await using client = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    await pushLayout(layout, `${registry.host}/alice/public:v1`, { as: alice })
    await setVisibility(registry, 'alice/public', 'public')

    await pull(client, 'alice/public:v1')

    expect(await missing(client, layout)).toEqual([])
    expect(client.seen.filter(({ scheme }) => scheme === 'Basic')).toEqual([])
  })

  test('lists the tags of a repository', async () => {
    await using client = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    for (const tag of ['v1', 'v2']) {
      await pushLayout(layout, `${registry.host}/alice/tags:${tag}`, { as: alice })
    }
    await client.login(alice)

    const listed = await client.udocker(
      'search',
      '--list-tags',
      `--registry=http://${client.host}`,
      'alice/tags',
    )

    expect(listed.split('\n')).toEqual(expect.arrayContaining(['v1', 'v2']))
  })
})
