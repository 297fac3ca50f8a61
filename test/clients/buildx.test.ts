/** BuildKit of the engines: caches in a registry, images of many platforms, provenance. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ask } from '../support/http/client.ts'
import { mediaType } from '../support/content/manifests.ts'
import { startRecordingProxy } from '../support/http/recording-proxy.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import type { TempFolder } from '../support/processes/temp-folder.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { alice, startWithUsers } from './accounts.ts'
import { layersOf, startEngines } from './docker-engine.ts'
import type { DockerClient, DockerEngine } from './docker-engine.ts'
import { basicAuth } from './layouts.ts'

const resources = new AsyncDisposableStack()
const engines = await startEngines()
for (const { started } of engines) resources.use(started)
/** Other engines cannot store an index, and do not export a cache. */
const withContainerd = engines.filter(({ containerdStore }) => containerdStore)
for (const { started } of withContainerd) {
  await using client = await started.client()
  process.stdout.write(`${await client.run('buildx', 'version')}\n`)
}
let registry: RunningRegistry

beforeAll(async () => {
  registry = resources.use(await startWithUsers())
})
afterAll(async () => {
  await resources.disposeAsync()
})

const stages = ['FROM scratch AS one', 'COPY a /a', 'FROM scratch', 'COPY b /b', 'COPY --from=one /a /a']
const cacheConfig = 'application/vnd.buildkit.cacheconfig.v0'

/** Makes a build context without `RUN` steps: any platform can be built on any other. */
async function aContext(dockerfile: readonly string[] = stages): Promise<TempFolder> {
  const folder = await tempFolder('build-context')
  await writeFile(join(folder.path, 'Dockerfile'), `${dockerfile.join('\n')}\n`)
  await writeFile(join(folder.path, 'a'), randomBytes(1_000_000))
  await writeFile(join(folder.path, 'b'), randomBytes(500_000))
  return folder
}

/** Returns the steps of a build that copy files, and whether each came from a cache. */
function copySteps(output: string): ReadonlyMap<string, boolean> {
  const steps = new Map<string, boolean>()
  for (const { name, cached = false } of output.startsWith('{') ? rawSteps(output) : plainSteps(output)) {
    const [, copy] = /^\[(?:.* )?\d\/\d\] (COPY .*)$/.exec(name) ?? []
    if (copy !== undefined) steps.set(copy, cached || steps.get(copy) === true)
  }
  return steps
}

interface Step {
  readonly name: string
  readonly cached?: boolean
}

function plainSteps(output: string): readonly Step[] {
  const steps = [...output.matchAll(/^#(\d+) (\[.*)$/gm)]
  return steps.map(([, id = '', name = '']) => ({ name, cached: output.includes(`\n#${id} CACHED`) }))
}

/** Returns every state of the steps. A cached step is shown as a different one when its layers are pulled later. */
function rawSteps(output: string): readonly Step[] {
  const states = output.split('\n').filter((line) => line.startsWith('{'))
  return states.flatMap((line) => (JSON.parse(line) as { vertexes?: readonly Step[] }).vertexes ?? [])
}

/** Removes the images and the build cache. */
async function forgetAll(engine: DockerEngine, client: DockerClient): Promise<void> {
  await engine.clear()
  await client.run('builder', 'prune', '--all', '--force')
}

/** Builds with output that lists all steps; 20.10 can list them only in plain text. */
const build = (client: DockerClient, ...args: readonly string[]) =>
  client.run('build', '--progress', client.hasBuildx ? 'rawjson' : 'plain', ...args)

interface Document {
  readonly mediaType: string
  readonly config?: { readonly mediaType: string }
  readonly manifests?: readonly {
    readonly mediaType: string
    readonly digest: string
    readonly platform?: { readonly os: string; readonly architecture: string }
    readonly annotations?: Readonly<Record<string, string>>
  }[]
}

async function documentAt(repository: string, tag: string): Promise<Document> {
  const headers = basicAuth(alice)
  const answer = await ask(`${registry.url}/v2/${repository}/manifests/${tag}`, { headers })
  return answer.json() as Document
}

describe.for(engines)('BuildKit in $name', ({ started: engine }) => {
  test('builds from the cache in an image that it pushed', async () => {
    await using client = await engine.client()
    await using context = await aContext(['FROM scratch', 'COPY a /a', 'COPY b /b'])
    await client.login(registry.host, alice)
    const image = `${registry.host}/alice/inline:v1`
    await forgetAll(engine, client)

    const first = await build(client, '--build-arg', 'BUILDKIT_INLINE_CACHE=1', '-t', image, context.path)
    const layers = await layersOf(client, image)
    await client.run('push', image)
    await forgetAll(engine, client)
    const again = await build(client, '--cache-from', image, '-t', image, context.path)

    expect([...copySteps(first).values()]).toEqual([false, false])
    expect([...copySteps(again).values()]).toEqual([true, true])
    expect(await layersOf(client, image)).toEqual(layers)
  })
})

describe.for(withContainerd)('buildx with $name', ({ started: engine }) => {
  test.for([
    { form: 'an image', flags: 'image-manifest=true,oci-mediatypes=true', type: mediaType.ociManifest },
    {
      form: 'an index of layers',
      flags: 'image-manifest=false,oci-mediatypes=true',
      type: mediaType.ociIndex,
    },
    {
      form: 'a Docker list of layers',
      flags: 'image-manifest=false,oci-mediatypes=false',
      type: mediaType.dockerManifestList,
    },
  ])(
    'exports its cache with every stage as $form, and builds from that cache alone',
    async ({ flags, type }) => {
      await using proxy = await startRecordingProxy({ url: registry.url })
      await using client = await engine.client()
      await using context = await aContext()
      await client.login(proxy.host, alice)
      const cache = `type=registry,ref=${proxy.host}/alice/cache:${flags.replaceAll(/[=,]/g, '-')}`
      await forgetAll(engine, client)

      const first = await build(client, '--cache-to', `${cache},mode=max,${flags}`, '-t', 'app', context.path)
      await forgetAll(engine, client)
      const pushed = proxy.seen.length
      const again = await build(client, '--cache-from', cache, '-t', 'app', context.path)

      expect([...copySteps(first).values()]).toEqual([false, false, false])
      expect([...copySteps(again).values()]).toEqual([true, true, true])
      const pulled = proxy.seen.slice(pushed).filter(({ path }) => path.includes('/blobs/'))
      expect(pulled.filter(({ status }) => status !== 200)).toEqual([])
      expect(pulled.some(({ bodyBytes }) => bodyBytes > 1_000_000)).toBe(true)
      const document = await documentAt('alice/cache', flags.replaceAll(/[=,]/g, '-'))
      expect(document.mediaType).toBe(type)
      const named = [document.config, ...(document.manifests ?? [])].map((entry) => entry?.mediaType)
      expect(named).toContain(cacheConfig)
    },
  )

  test('pushes an image of two platforms with its provenance, and reads it back', async () => {
    await using client = await engine.client()
    await using context = await aContext()
    await client.login(registry.host, alice)
    const image = `${registry.host}/alice/platforms:v1`

    const platforms = ['--platform', 'linux/amd64,linux/arm64', '--provenance=mode=max']
    await build(client, ...platforms, '--push', '-t', image, context.path)
    await client.run('buildx', 'imagetools', 'create', '--tag', `${registry.host}/alice/platforms:v2`, image)
    await forgetAll(engine, client)
    await client.run('pull', '--platform', 'linux/arm64', image)

    const index = await documentAt('alice/platforms', 'v1')
    const { manifests = [] } = index
    const known = manifests.map(({ platform }) => platform?.architecture)
    expect(known).toEqual(['amd64', 'arm64', 'unknown', 'unknown'])
    const attested = manifests.slice(2).map(({ annotations }) => annotations?.['vnd.docker.reference.digest'])
    expect(attested).toEqual(manifests.slice(0, 2).map(({ digest }) => digest))
    expect(await documentAt('alice/platforms', 'v2')).toEqual(index)
    expect(await client.run('inspect', '--format', '{{.Architecture}}', image)).toBe('arm64')
    const inspect = ['buildx', 'imagetools', 'inspect', '--format', '{{json .Provenance}}', image]
    const provenance = JSON.parse(await client.run(...inspect)) as Record<string, { SLSA: object }>
    expect(Object.keys(provenance).sort()).toEqual(['linux/amd64', 'linux/arm64'])
    const dockerfile = Buffer.from(`${stages.join('\n')}\n`).toString('base64')
    expect(JSON.stringify(provenance['linux/arm64']?.SLSA)).toContain(dockerfile)
  })
})
