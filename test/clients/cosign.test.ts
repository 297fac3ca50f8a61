import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { OciLayout } from '../support/content/oci-layout.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { ClientAtHome } from './client-at-home.ts'
import { aClientAtHome } from './client-at-home.ts'
import { stableClient, unpackedClients } from './client-programs.ts'
import { pushLayout } from './layouts.ts'
import { askAs } from './pulled-content.ts'
import { runClient } from './run-client.ts'

const plainHttp = '--allow-http-registry'
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

describe.for(unpackedClients('cosign'))('$name', ({ path, major, name }) => {
  /** Returns a repository name per version: the versions share a registry, but not their repositories. */
  const repositoryOf = (purpose: string) => `alice/${name.replaceAll(/[^a-z0-9]+/g, '-')}-${purpose}`
  // Nothing leaves this machine: no transparency log, no services from a signing configuration.
  const offline = ['--tlog-upload=false', ...(major < 3 ? [] : ['--use-signing-config=false'])]
  const offlineVerify = ['--key', 'cosign.pub', '--insecure-ignore-tlog=true', plainHttp]

  async function start(): Promise<ClientAtHome> {
    const env = { COSIGN_PASSWORD: 'of the key', COSIGN_EXPERIMENTAL: '1' }
    const cosign = await aClientAtHome({ path }, { url: registry.url, env })
    await cosign.run('generate-key-pair')
    await cosign.rememberLogin(alice)
    return cosign
  }

  /** Pushes an image; returns its reference by digest. */
  async function pushImage(cosign: ClientAtHome, layout: OciLayout, purpose: string): Promise<string> {
    await pushLayout(layout, `${registry.host}/${repositoryOf(purpose)}:v1`, { as: alice })
    return `${cosign.host}/${repositoryOf(purpose)}@${layout.manifest.digest}`
  }

  const sign = (cosign: ClientAtHome, image: string, ...flags: readonly string[]) =>
    cosign.run('sign', '--key', 'cosign.key', ...offline, plainHttp, '--yes', ...flags, image)

  const verify = (cosign: ClientAtHome, image: string, ...flags: readonly string[]) =>
    cosign.run('verify', ...offlineVerify, ...flags, image)

  /** Copies an image with all its artifacts. The `copy` command of 3.x omits those that it writes, and recommends oras. */
  async function copyAll(cosign: ClientAtHome, image: string, to: string): Promise<void> {
    if (major < 3) return void (await cosign.run('copy', plainHttp, image, to))
    const env = { DOCKER_CONFIG: join(cosign.home, '.docker') }
    const args = ['cp', '-r', '--from-plain-http', '--to-plain-http', image, to]
    await runClient(stableClient('oras').path, args, { env })
  }

  async function list(of: string): Promise<Listing> {
    return (await askAs(alice, `${registry.url}/v2/${of}`)).json() as Listing
  }

  test('signs with a referrer, which is in the tree and is verified', async () => {
    await using cosign = await start()
    await using layout = await anOciLayout()
    const image = await pushImage(cosign, layout, 'signed')
    const [modeToSign, modeToVerify] =
      major < 3 ? [['--registry-referrers-mode=oci-1-1'], ['--experimental-oci11']] : [[], []]

    await expect(verify(cosign, image, ...modeToVerify)).rejects.toThrow(/no (matching )?signatures/)
    await sign(cosign, image, ...modeToSign)

    expect(await verify(cosign, image, ...modeToVerify)).toContain(layout.manifest.digest)
    const { manifests = [] } = await list(`${repositoryOf('signed')}/referrers/${layout.manifest.digest}`)
    expect(manifests).toHaveLength(1)
    expect(await list(`${repositoryOf('signed')}/tags/list`)).toMatchObject({ tags: ['v1'] })
    if (major < 3) return
    expect(manifests[0]?.artifactType).toBe(bundleType)
    const tree = await cosign.run('tree', plainHttp, image)
    expect(tree).toContain(`artifacts via OCI referrer: ${image.split('@')[0]}@${manifests[0]?.digest}`)
  })

  test('attests, and verifies the attestation and its content', async () => {
    await using cosign = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const image = await pushImage(cosign, layout, 'attested')
    await writeFile(join(cosign.home, 'predicate.json'), '{"built":"by a test"}')
    const attestation = ['--type', 'custom', '--predicate', 'predicate.json']

    await cosign.run('attest', '--key', 'cosign.key', ...offline, plainHttp, '--yes', ...attestation, image)
    const verified = await cosign.run('verify-attestation', ...offlineVerify, '--type', 'custom', image)

    const { payload } = JSON.parse(verified) as { payload: string }
    const statement = Buffer.from(payload, 'base64').toString('utf8')
    expect(JSON.parse(statement)).toMatchObject({
      subject: [{ digest: { sha256: layout.manifest.digest.replace('sha256:', '') } }],
    })
    expect(statement).toContain('by a test')
    expect(await cosign.run('tree', plainHttp, image)).toMatch(/attestation/i)
  })

  test('does not trust another key, and cannot sign an image that it may only read', async () => {
    await using signer = await start()
    await using stranger = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const image = await pushImage(signer, layout, 'foreign')
    await sign(signer, image)
    await setVisibility(registry, repositoryOf('foreign'), 'public')
    await stranger.rememberLogin(bob)
    const seenBy = image.replace(signer.host, stranger.host)

    await verify(signer, image)
    await expect(verify(stranger, seenBy)).rejects.toThrow(/no matching (signatures|attestations)/)
    await expect(sign(stranger, seenBy)).rejects.toThrow(/401|UNAUTHORIZED|DENIED/)
  })

  test('copies an image with its signature, and removes the signature', async () => {
    await using cosign = await start()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const image = await pushImage(cosign, layout, 'moved')
    const copy = `${cosign.host}/${repositoryOf('moved-copy')}`
    await sign(cosign, image)

    await copyAll(cosign, image, `${copy}:v1`)
    await verify(cosign, `${copy}:v1`)
    await cosign.run('clean', plainHttp, '--type', 'all', '--force', image)

    await expect(verify(cosign, image)).rejects.toThrow(/no (matching )?signatures/)
  })
})

interface Listing {
  readonly manifests?: readonly { readonly digest: string; readonly artifactType: string }[]
  readonly tags?: readonly string[]
}
