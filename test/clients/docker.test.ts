import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import { layersOf, startEngines } from './docker-engine.ts'
import type { DockerClient } from './docker-engine.ts'
import { configJson } from './run-client.ts'

const resources = new AsyncDisposableStack()
const engines = await startEngines()
for (const { name, started } of engines) {
  resources.use(started)
  process.stdout.write(`${name}: ${started.version}\n`)
}

let registry: RunningRegistry

beforeAll(async () => {
  registry = resources.use(await startWithUsers())
})
afterAll(async () => {
  await resources.disposeAsync()
})

interface Given extends AsyncDisposable {
  readonly client: DockerClient
  /** A repository of alice that no test has used yet. */
  readonly repository: string
  /** An image name in that repository, with the registry's host. */
  readonly image: string
}

let repositories = 0

describe.for(engines)('$name', ({ started: engine, containerdStore }) => {
  /** containerd prints its own message for every refused token, and not the registry's. */
  const denied = (reason: string): string => (containerdStore ? 'access denied' : `denied: ${reason}`)

  async function start(): Promise<Given> {
    const client = await engine.client()
    const repository = `alice/app-${(repositories += 1)}`
    return {
      client,
      repository,
      image: `${registry.host}/${repository}:v1`,
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    }
  }

  test('logs in only with the right password, and keeps it for the kubelet until logout', async () => {
    await using given = await start()
    const { client } = given
    const config = join(client.configFolder, 'config.json')

    await expect(client.login(registry.host, { ...alice, password: 'wrong' })).rejects.toThrow(
      /unauthorized|401/i,
    )
    expect(await client.login(registry.host, alice)).toContain('Login Succeeded')

    const { auths } = JSON.parse(await readFile(config, 'utf8')) as { auths: Record<string, unknown> }
    // The password itself and not a refresh token: only that works in a cluster.
    const auth = Buffer.from(`${alice.name}:${alice.password}`).toString('base64')
    expect(auths).toEqual({ [registry.host]: { auth } })

    await client.run('logout', registry.host)
    expect(await readFile(config, 'utf8')).not.toContain(auth)
  })

  test('pushes an image and pulls it into an empty store', async () => {
    await using given = await start()
    const { client, repository, image } = given
    const layers = await client.load(image, { layers: 3, layerBytes: 1_000_000 })
    await expect(client.run('push', image)).rejects.toThrow(
      denied(`a token issued without a login cannot be used to push to ${repository}: log in`),
    )
    await client.login(registry.host, alice)

    await client.run('push', image)
    await engine.clear()
    await expect(client.run('inspect', image)).rejects.toThrow(/No such object/i)
    await client.run('pull', image)

    expect(await layersOf(client, image)).toEqual(layers)
  })

  test('pulls a public image without a login, and reports why it cannot pull a private one', async () => {
    await using given = await start()
    const { client, repository, image } = given
    const layers = await client.load(image)
    await client.login(registry.host, alice)
    await client.run('push', image)
    await client.run('logout', registry.host)
    await engine.clear()

    await expect(client.run('pull', image)).rejects.toThrow(
      denied(`a token issued without a login cannot be used to pull from ${repository}: log in`),
    )
    await setVisibility(registry, repository, 'public')
    await client.run('pull', image)

    expect(await layersOf(client, image)).toEqual(layers)
  })

  test('reports why it may not push below the name of another owner', async () => {
    await using given = await start()
    const { client, repository, image } = given
    await client.load(image)
    await client.login(registry.host, bob)

    await expect(client.run('push', image)).rejects.toThrow(
      denied(
        `user bob may not push to ${repository} with this token: push below your own name, bob/, or ask alice or an administrator`,
      ),
    )
    await expect(client.run('pull', image)).rejects.toThrow(
      denied(`user bob may not pull from ${repository} with this token: ask alice or an administrator`),
    )
  })

  test('reports how to write a name that lacks its owner', async () => {
    await using given = await start()
    const { client } = given
    const image = `${registry.host}/hello:v1`
    await client.load(image)
    await client.login(registry.host, alice)

    await expect(client.run('push', image)).rejects.toThrow(/<owner>\/<image>/)
    await expect(client.run('pull', `${registry.host}/hello:v2`)).rejects.toThrow(/<owner>\/<image>/)
  })

  test('uses a config.json that kubectl made', async () => {
    await using given = await start()
    const { client, image } = given
    const layers = await client.load(image)
    await writeFile(join(client.configFolder, 'config.json'), configJson(registry.host, alice))

    await client.run('push', image)
    await engine.clear()
    await client.run('pull', image)

    expect(await layersOf(client, image)).toEqual(layers)
  })
})
