/**
 * Layers that are read in pieces: after a cut connection the client requests and gets only the rest; and containerd 2.1 may
 * request everything from an offset, read a part and close the connection.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { ask } from '../support/http/client.ts'
import type { OciLayout } from '../support/content/oci-layout.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import type { TestBlob } from '../support/content/random.ts'
import type { RecordingProxy } from '../support/http/recording-proxy.ts'
import { startRecordingProxy } from '../support/http/recording-proxy.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { alice, startWithUsers } from './accounts.ts'
import { containerdKinds, startContainerds } from './containerd.ts'
import { layersOf, startEngines } from './docker-engine.ts'
import { diffIdsOf, pair, pushLayout } from './layouts.ts'
import { newerSkopeo } from './newer-skopeo.ts'

// Runs before the first start, so that an error here leaves nothing running.
process.stdout.write(`newer ${await newerSkopeo('--version')}\n`)

const resources = new AsyncDisposableStack()
const engines = await startEngines()
const daemons = await startContainerds()
const partBytes = 1024 * 1024
const daemonsInParts = await startContainerds({
  kinds: containerdKinds.filter(({ configVersion }) => configVersion === 3),
  transfer: `max_concurrent_downloads = 4\nconcurrent_layer_fetch_buffer = ${partBytes}`,
})
for (const { started } of [...engines, ...daemons, ...daemonsInParts]) resources.use(started)

const metricsToken = 'the token of the metrics'
let registry: RunningRegistry
let layout: OciLayout
let layer: TestBlob

beforeAll(async () => {
  registry = resources.use(await startWithUsers({ LADING_METRICS_TOKEN: metricsToken }))
  layout = resources.use(await anOciLayout({ platforms: ['linux/amd64'], layers: 1, layerBytes: 32_000_000 }))
  const [, first] = layout.manifest.blobs
  if (first === undefined) throw new Error('the image has no layer')
  layer = first
  await pushLayout(layout, `${registry.host}/alice/app:v1`, { as: alice })
})
afterAll(async () => {
  await resources.disposeAsync()
})

/** Starts a proxy that cuts the first response with the layer in the middle. */
async function aCuttingProxy(): Promise<RecordingProxy> {
  let isCut = false
  return await startRecordingProxy({
    url: registry.url,
    cutAfter({ method, path }) {
      if (isCut || method !== 'GET' || !path.endsWith(layer.digest)) return undefined
      isCut = true
      return layer.size / 2
    },
  })
}

function expectResumed({ seen }: RecordingProxy): void {
  const [cut, resumed, ...more] = seen.filter(
    ({ method, path }) => method === 'GET' && path.endsWith(layer.digest),
  )
  expect(cut).toMatchObject({ status: 200, range: '' })
  expect(resumed).toMatchObject({ status: 206, range: expect.stringMatching(/^bytes=[1-9]\d*-$/) as unknown })
  expect(more).toEqual([])
  const [, offset] = /(\d+)/.exec(resumed?.range ?? '') ?? []
  expect(resumed?.bodyBytes).toBe(layer.size - Number(offset))
}

test.for(engines)(
  '$name requests the rest of a layer after its connection was cut',
  async ({ started: engine }) => {
    await using proxy = await aCuttingProxy()
    await using client = await engine.client()
    await client.login(proxy.host, alice)
    const image = `${proxy.host}/alice/app:v1`

    await client.run('pull', image)

    expect(await layersOf(client, image)).toEqual(diffIdsOf(layout.images[0]))
    expectResumed(proxy)
  },
)

test.for(daemons)(
  "$name's ctr requests the rest of a layer after its connection was cut",
  async ({ started: containerd }) => {
    await using proxy = await aCuttingProxy()
    const image = `${proxy.host}/alice/app:v1`

    await containerd.ctr('images', 'pull', '--plain-http', '--user', pair(alice), image)

    expect(await containerd.ctr('content', 'ls', '--quiet')).toContain(layer.digest)
    expectResumed(proxy)
  },
)

test('a newer skopeo requests the rest of a layer after its connection was cut', async () => {
  await using proxy = await aCuttingProxy()
  await using out = await tempFolder()
  const image = `docker://${proxy.host}/alice/app:v1`

  await newerSkopeo('copy', '--src-tls-verify=false', '--src-creds', pair(alice), image, `oci:${out.path}:v1`)

  const copied = await readFile(join(out.path, 'blobs/sha256', layer.digest.replace('sha256:', '')))
  expect(copied.equals(layer.bytes)).toBe(true)
  expectResumed(proxy)
})

/** Returns how many bytes of blobs the registry has written to its connections. */
async function sentBytes(): Promise<number> {
  const headers = { authorization: `Bearer ${metricsToken}` }
  const metrics = await ask(`${registry.url}/metrics`, { headers })
  return Number(/^lading_http_sent_bytes_total\{route="end-2"\} (\d+)$/m.exec(metrics.text())?.[1])
}

test.for(daemonsInParts)(
  '$name reads a layer in parts, and the registry does not send the unread rest',
  async ({ started: containerd }) => {
    await using proxy = await startRecordingProxy({ url: registry.url })
    await using layout = await anOciLayout({ platforms: ['linux/amd64'], layers: 1, layerBytes: 40_000_000 })
    const layer = layout.manifest.blobs[1] ?? { digest: '', size: 0 }
    const image = `${proxy.host}/alice/app:v1`
    await pushLayout(layout, image, { as: alice })
    const before = await sentBytes()

    await containerd.ctr('images', 'pull', '--plain-http', '--user', pair(alice), image)

    expect(await containerd.ctr('content', 'ls', '--quiet')).toContain(layer.digest)
    const parts = proxy.seen.filter(({ method, path }) => method === 'GET' && path.endsWith(layer.digest))
    const offsets = parts.map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range)?.[1]))
    expect(offsets.sort((a, b) => a - b)).toEqual(
      Array.from({ length: Math.ceil(layer.size / partBytes) }, (_, index) => index * partBytes),
    )
    expect(new Set(parts.map(({ status }) => status))).toEqual(new Set([206]))
    // The content of the socket buffers is lost when the client stops reading: some MiB of each response, but not the rest of the
    // layer.
    const asked = offsets.reduce((sum, offset) => sum + layer.size - offset, 0)
    expect((await sentBytes()) - before).toBeLessThan(asked / 3)
    expect(registry.stdout).not.toMatch(/"level":"(?:warn|error|fatal)"/)
  },
)
