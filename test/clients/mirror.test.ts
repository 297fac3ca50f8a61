/** The registry as a mirror of Docker Hub: names come without the host of Docker Hub, or with `?ns=`. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { OciLayout } from '../support/content/oci-layout.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import type { RecordingProxy } from '../support/http/recording-proxy.ts'
import { startRecordingProxy } from '../support/http/recording-proxy.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { addUser, alice, setVisibility, startWithUsers } from './accounts.ts'
import { startContainerds } from './containerd.ts'
import { layersOf, startEngines } from './docker-engine.ts'
import { diffIdsOf, pair, pushLayout } from './layouts.ts'
import { aPodman, configJson, runClient } from './run-client.ts'

const resources = new AsyncDisposableStack()
const registry = resources.use(await startWithUsers())
/** The address that clients use as their mirror. */
const mirror = resources.use(await startRecordingProxy({ url: registry.url }))
const engines = await startEngines(`--registry-mirror=http://${mirror.host}`)
const daemons = await startContainerds()
for (const { started } of [...engines, ...daemons]) resources.use(started)

const library = { name: 'library', password: 'the password of library' }
const nobodyListens = '127.0.0.1:1'

let open: OciLayout
let closed: OciLayout
let hostsDir: string
let registriesConf: string

beforeAll(async () => {
  const platforms = ['linux/arm64/v8', 'linux/amd64']
  open = resources.use(await anOciLayout({ platforms, layerBytes: 1_000_000 }))
  closed = resources.use(await anOciLayout({ platforms }))
  await addUser(registry, library)
  await pushLayout(open, `${registry.host}/library/app:v1`, { as: library })
  await pushLayout(closed, `${registry.host}/alice/app:v1`, { as: alice })
  await setVisibility(registry, 'library/app', 'public')
  const folder = resources.use(await tempFolder('mirror'))
  hostsDir = join(folder.path, 'hosts')
  await mkdir(join(hostsDir, 'docker.io'), { recursive: true })
  await writeFile(join(hostsDir, 'docker.io/hosts.toml'), hostsToml)
  registriesConf = join(folder.path, 'registries.conf')
  await writeFile(registriesConf, registriesToml)
})
afterAll(async () => {
  await resources.disposeAsync()
})

const hostsToml = `server = "http://${nobodyListens}"
[host."http://${mirror.host}"]
capabilities = ["pull", "resolve"]
`
const registriesToml = `unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "docker.io"
location = "${nobodyListens}"
insecure = true
[[registry.mirror]]
location = "${mirror.host}"
insecure = true
`

/** Returns the manifests and blobs that a client got from the mirror during `work`. */
async function servedDuring(work: () => Promise<unknown>): Promise<RecordingProxy['seen']> {
  const before = mirror.seen.length
  await work()
  return mirror.seen.slice(before).filter(({ method, status }) => method === 'GET' && status === 200)
}

/** Expects that the blobs of the image for this machine came from the mirror. */
function expectBlobs(served: RecordingProxy['seen'], { images }: OciLayout): void {
  const blobs = images[1]?.blobs ?? []
  const asked = served.map(({ path }) => path.split('?')[0]?.split('/').at(-1))
  expect(asked).toEqual(expect.arrayContaining(blobs.map(({ digest }) => digest)))
}

/** Returns the `ns` of all requests for content: the registry that the mirror represents. */
const namespaces = (served: RecordingProxy['seen']) =>
  new Set(
    served
      .filter(({ path }) => path.includes('/manifests/') || path.includes('/blobs/'))
      .map(({ path }) => new URLSearchParams(path.split('?')[1]).get('ns')),
  )

describe.for(engines)('$name with a registry mirror', ({ started: engine, containerdStore }) => {
  test('pulls an image without a host from the mirror', async () => {
    await using client = await engine.client()

    const served = await servedDuring(() => client.run('pull', 'app:v1'))

    expectBlobs(served, open)
    expect(namespaces(served)).toEqual(new Set([containerdStore ? 'docker.io' : null]))
    expect(await layersOf(client, 'app:v1')).toEqual(diffIdsOf(open.images[1]))
    const digests = await client.run('inspect', '--format', '{{json .RepoDigests}}', 'app:v1')
    expect(JSON.parse(digests)).toEqual([`app@${open.manifest.digest}`])
  })
})

describe.for(daemons)('$name with a hosts.toml', ({ started: containerd }) => {
  test.for([
    { kind: 'is public', image: 'docker.io/library/app:v1', as: [], layout: () => open },
    {
      kind: 'is private, with the password',
      image: 'docker.io/alice/app:v1',
      as: ['--user', pair(alice)],
      layout: () => closed,
    },
  ])(
    'pulls an image that $kind from the mirror, and names its registry in ns',
    async ({ image, as, layout }) => {
      const served = await servedDuring(() =>
        containerd.ctr('images', 'pull', '--hosts-dir', hostsDir, ...as, image),
      )

      expectBlobs(served, layout())
      expect(namespaces(served)).toEqual(new Set(['docker.io']))
      const listed = await containerd.ctr('images', 'ls', `name==${image}`)
      expect(listed).toContain(layout().manifest.digest)
    },
  )

  test('cannot pull a private image without the password', async () => {
    await containerd.clear()
    const pull = ['images', 'pull', '--hosts-dir', hostsDir, 'docker.io/alice/app:v1']

    await expect(containerd.ctr(...pull)).rejects.toThrow('insufficient_scope: authorization failed')
  })
})

describe('a registries.conf', () => {
  test('makes podman pull a short name from the mirror', async () => {
    await using podman = await aPodman({ env: { CONTAINERS_REGISTRIES_CONF: registriesConf } })

    const served = await servedDuring(() => podman.run('pull', '--quiet', 'app:v1'))

    expectBlobs(served, open)
    const inspect = ['inspect', '--format', '{{json .RepoDigests}}', 'docker.io/library/app:v1']
    expect(await podman.run(...inspect)).toContain(`docker.io/library/app@${open.manifest.digest}`)
  })

  test('makes skopeo copy from the mirror, with the login that it has there', async () => {
    await using out = await tempFolder()
    const authFile = join(out.path, 'auth.json')
    await writeFile(authFile, configJson(mirror.host, alice))
    const skopeo = ['--registries-conf', registriesConf, 'copy', '--all']
    const copy = [...skopeo, 'docker://docker.io/alice/app:v1', `oci:${out.path}/layout:v1`]

    const env = { REGISTRY_AUTH_FILE: authFile }
    const served = await servedDuring(() => runClient('skopeo', copy, { env }))

    expectBlobs(served, closed)
    expect(await readFile(join(out.path, 'layout/index.json'), 'utf8')).toContain(closed.manifest.digest)
  })
})
