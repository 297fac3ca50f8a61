/** Pushes and pulls of an engine beyond a single image: indexes, manifest lists, schema 2, many tags. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ask } from '../support/http/client.ts'
import { mediaType } from '../support/content/manifests.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, startWithUsers } from './accounts.ts'
import { layersOf, startEngines } from './docker-engine.ts'
import type { DockerClient } from './docker-engine.ts'
import { basicAuth, diffIdsOf, pair, pushLayout } from './layouts.ts'
import { newerSkopeo } from './newer-skopeo.ts'

const resources = new AsyncDisposableStack()
const engines = await startEngines()
for (const { started } of engines) resources.use(started)
let registry: RunningRegistry

beforeAll(async () => {
  registry = resources.use(await startWithUsers())
})
afterAll(async () => {
  await resources.disposeAsync()
})

let repositories = 0
/** Returns the host and a repository of alice that no test has used yet. */
const aName = (): string => `${registry.host}/alice/app-${(repositories += 1)}`

const loggedIn = async (client: DockerClient): Promise<DockerClient> => {
  await client.login(registry.host, alice)
  return client
}

/** Returns the media type and the digest of a name (`<host>/<repository>:<tag>`). */
async function manifestAt(name: string): Promise<{ readonly type: unknown; readonly digest: unknown }> {
  const [, repository = '', tag = ''] = /^[^/]+\/(.+):([^:]+)$/.exec(name) ?? []
  const { headers } = await ask(`${registry.url}/v2/${repository}/manifests/${tag}`, {
    method: 'HEAD',
    headers: basicAuth(alice),
  })
  return { type: headers['content-type'], digest: headers['docker-content-digest'] }
}

describe.for(engines)('$name', ({ started: engine }) => {
  test.for([
    { kind: 'an OCI index', format: 'oci' },
    { kind: 'a Docker manifest list', format: 'v2s2' },
  ] as const)(
    'pulls from $kind the image of its own platform, and another on request',
    async ({ format }) => {
      await using client = await loggedIn(await engine.client())
      await using layout = await anOciLayout({ platforms: ['linux/arm64/v8', 'linux/amd64', 'linux/arm/v7'] })
      const image = `${aName()}:v1`
      await pushLayout(layout, image, { as: alice, format })

      for (const [index, flags] of [
        [1, []],
        [2, ['--platform', 'linux/arm/v7']],
      ] as const) {
        await engine.clear()
        await client.run('pull', ...flags, image)
        expect(await layersOf(client, image)).toEqual(diffIdsOf(layout.images[index]))
      }
    },
  )

  test('pushes Docker schema 2 that keeps its digest through a pull by digest and a push elsewhere', async () => {
    await using client = await loggedIn(await engine.client())
    const [name, other] = [aName(), aName()]
    const layers = await client.load(`${name}:v1`, { layers: 2, layerBytes: 1_000_000 })

    const said = await client.run('push', `${name}:v1`)
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(said)?.[1] ?? ''
    await engine.clear()
    await client.run('pull', `${name}@${digest}`)
    expect(await layersOf(client, `${name}@${digest}`)).toEqual(layers)
    await client.run('tag', `${name}@${digest}`, `${other}:v2`)
    await client.run('push', `${other}:v2`)

    const type = mediaType.dockerManifest
    expect(await manifestAt(`${name}:v1`)).toEqual({ type, digest })
    expect(await manifestAt(`${other}:v2`)).toEqual({ type, digest })
  })

  test('makes a manifest list of two images, and pulls only the parts that it needs', async () => {
    await using client = await loggedIn(await engine.client())
    const name = aName()
    const layers = new Map<string, readonly string[]>()
    for (const architecture of ['amd64', 'arm64']) {
      await using layout = await anOciLayout({ platforms: [`linux/${architecture}`] })
      await pushLayout(layout, `${name}:${architecture}`, { as: alice, format: 'v2s2' })
      layers.set(architecture, diffIdsOf(layout.images[0]))
    }

    await client.run('manifest', 'create', '--insecure', `${name}:list`, `${name}:amd64`, `${name}:arm64`)
    const digest = await client.run('manifest', 'push', '--insecure', `${name}:list`)
    await engine.clear()
    await client.run('pull', '--platform', 'linux/arm64', `${name}:list`)

    expect(await layersOf(client, `${name}:list`)).toEqual(layers.get('arm64'))
    expect(await manifestAt(`${name}:list`)).toEqual({ type: mediaType.dockerManifestList, digest })
  })

  test('pushes all tags at once, and pulls all of them', async () => {
    await using client = await loggedIn(await engine.client())
    const name = aName()
    await client.load(`${name}:v1`)
    await client.load(`${name}:v2`)
    await client.run('tag', `${name}:v2`, `${name}:latest`)
    const listed = async () => {
      const tags = await client.run('images', '--format', '{{.Tag}} {{.ID}}', '--no-trunc', name)
      return tags.split('\n').sort()
    }
    const before = await listed()

    await client.run('push', '--all-tags', name)
    await engine.clear()
    await client.run('pull', '--all-tags', name)

    expect(before).toHaveLength(3)
    expect(await listed()).toEqual(before)
  })
})

// 20.10 does not know zstd: `archive/tar: invalid tar header`.
test.for(engines.filter(({ name }) => name !== 'docker 20.10'))(
  '$name pulls zstd layers that skopeo compressed',
  async ({ started: engine }) => {
    await using client = await loggedIn(await engine.client())
    await using layout = await anOciLayout({ platforms: ['linux/amd64'], layerBytes: 1_000_000 })
    const [name, source] = [aName(), `oci:${layout.path}:v1`]
    const target = [`docker://${name}:v1`, '--dest-tls-verify=false', '--dest-creds', pair(alice)]
    const compression = ['--dest-compress-format', 'zstd']

    await newerSkopeo('copy', source, ...target, ...compression)
    await client.run('pull', `${name}:v1`)

    expect(await layersOf(client, `${name}:v1`)).toEqual(diffIdsOf(layout.images[0]))
    const manifest = await client.run('manifest', 'inspect', '--insecure', `${name}:v1`)
    expect(manifest.match(/application\/vnd\.oci\.image\.layer\.v1\.tar\+zstd/g)).toHaveLength(2)
  },
)
