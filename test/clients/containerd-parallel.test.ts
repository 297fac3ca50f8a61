/** containerd 2.1 may take a layer in parts: it asks for all from an offset on, reads one part, and goes away. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import { ask } from '../support/client.ts'
import { anOciLayout } from '../support/oci-layout.ts'
import { startRecordingProxy } from '../support/recording-proxy.ts'
import type { RunningRegistry } from '../support/start-registry.ts'
import { alice, startWithUsers } from './accounts.ts'
import { containerdKinds, startContainerds } from './containerd.ts'
import { pair, pushLayout } from './layouts.ts'

const partBytes = 1024 * 1024
const metricsToken = 'the token of the metrics'

const resources = new AsyncDisposableStack()
const daemons = await startContainerds({
  kinds: containerdKinds.filter(({ configVersion }) => configVersion === 3),
  transfer: `max_concurrent_downloads = 4\nconcurrent_layer_fetch_buffer = ${partBytes}`,
})
for (const { started } of daemons) resources.use(started)

let registry: RunningRegistry

beforeAll(async () => {
  registry = resources.use(await startWithUsers({ LADING_METRICS_TOKEN: metricsToken }))
})
afterAll(async () => {
  await resources.disposeAsync()
})

/** What the registry gave to its connections as blobs, so far. */
async function sentBytes(): Promise<number> {
  const headers = { authorization: `Bearer ${metricsToken}` }
  const metrics = await ask(`${registry.url}/metrics`, { headers })
  return Number(/^lading_http_sent_bytes_total\{route="end-2"\} (\d+)$/m.exec(metrics.text())?.[1])
}

test.for(daemons)(
  '$name reads a layer in parts, and what it leaves unread is not sent',
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
    // What lies in the buffers of the sockets when a part is read is lost: some MiB of each answer, not the layer's rest.
    const asked = offsets.reduce((sum, offset) => sum + layer.size - offset, 0)
    expect((await sentBytes()) - before).toBeLessThan(asked / 3)
    expect(registry.stdout).not.toMatch(/"level":"(?:warn|error|fatal)"/)
  },
)
