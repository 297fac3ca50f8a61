import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { startInProcess } from '../support/parts/in-process.ts'
import type { OciLayout } from '../support/content/oci-layout.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import { startRecordingProxy } from '../support/http/recording-proxy.ts'
import { runTool } from '../support/processes/run-tool.ts'
import { addUser, alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { Containerd } from './containerd.ts'
import { startContainerds } from './containerd.ts'

const lifetimeMs = 60_000
const asAlice = ['--user', `${alice.name}:${alice.password}`]

const daemons = await startContainerds()
for (const { name, started } of daemons) process.stdout.write(`${name}: ${started.version}\n`)

afterAll(async () => {
  await Promise.all(daemons.map(({ started }) => started[Symbol.asyncDispose]()))
})

/** Imports the layout's image into containerd's store; returns its name there. */
async function importImage(containerd: Containerd, layout: OciLayout): Promise<string> {
  const archive = join(layout.path, 'layout.tar')
  await runTool('tar', '-C', layout.path, '-cf', archive, 'oci-layout', 'index.json', 'blobs')
  const name = `test/${layout.manifest.digest.slice(-12)}`
  const flags = ['--no-unpack', '--all-platforms', '--base-name', name]
  await containerd.ctr('images', 'import', ...flags, archive)
  return `${name}:v1`
}

describe.for(daemons)("$name's client", ({ started: containerd }) => {
  const push = (target: string, local: string, ...flags: readonly string[]) =>
    containerd.ctr('images', 'push', '--plain-http', ...flags, target, local)

  const pull = (target: string, ...flags: readonly string[]) =>
    containerd.ctr('images', 'pull', '--plain-http', ...flags, target)

  test('pushes with name and password, and pulls the same image', async () => {
    await using registry = await startWithUsers()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'], layers: 4 })
    const target = `${registry.host}/alice/app:v1`
    const local = await importImage(containerd, layout)

    await expect(push(target, local, '--user', `${alice.name}:wrong`)).rejects.toThrow(/401/)
    await push(target, local, ...asAlice)
    await containerd.clear()

    await expect(pull(target)).rejects.toThrow(/401|403|authorization|not found/)
    await pull(target, ...asAlice)
    await setVisibility(registry, 'alice/app', 'public')
    await pull(target)
    expect(await containerd.ctr('images', 'ls', `name==${target}`)).toContain(layout.manifest.digest)
  })

  test('pushes and pulls every platform of an index, or the requested one', async () => {
    await using registry = await startWithUsers()
    await using layout = await anOciLayout({ platforms: ['linux/amd64', 'linux/arm64/v8', 'linux/arm/v7'] })
    const target = `${registry.host}/alice/app:v1`
    const local = await importImage(containerd, layout)
    const stored = async () => (await containerd.ctr('content', 'ls', '--quiet')).split('\n')

    await push(target, local, ...asAlice)
    await containerd.clear()
    await pull(target, '--platform', 'linux/arm64/v8', ...asAlice)
    const blobs = layout.images.flatMap((image) => image.blobs.map(({ digest }) => digest))
    // 2.1 pulls the configs of all platforms, because it may push them later.
    const [ofAmd64, ofArm64] = layout.images.map((image) => image.blobs.slice(1).map(({ digest }) => digest))
    const pulled = await stored()
    expect(pulled).toEqual(expect.arrayContaining(ofArm64 ?? []))
    expect(pulled.filter((digest) => ofAmd64?.includes(digest))).toEqual([])
    await pull(target, '--all-platforms', ...asAlice)

    const manifests = [layout.manifest, ...layout.images].map(({ digest }) => digest)
    expect(await stored()).toEqual(expect.arrayContaining([...manifests, ...blobs]))
    expect(await containerd.ctr('images', 'ls', `name==${target}`)).toContain(layout.manifest.digest)
  })

  test('reports that the name belongs to another owner', async () => {
    await using registry = await startWithUsers()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const local = await importImage(containerd, layout)

    await expect(
      push(`${registry.host}/alice/app:v1`, local, '--user', `${bob.name}:${bob.password}`),
    ).rejects.toThrow(/401|403|denied|insufficient_scope/)
  })

  // containerd gets another token only at the HEAD before each upload; between POST and PUT it would fail.
  test('gets another token when its token expires in the middle of a push', async () => {
    await using registry = await startInProcess({
      auth: { anonymous: 'pull', tokenLifetimeMs: lifetimeMs },
    })
    await addUser(registry, alice)
    await using layout = await anOciLayout({ platforms: ['linux/amd64'], layers: 1 })
    const local = await importImage(containerd, layout)
    let isExpired = false
    await using proxy = await startRecordingProxy({
      url: registry.url,
      onAnswer(seen) {
        if (isExpired || seen.method !== 'PUT' || seen.status !== 201) return
        isExpired = true
        registry.advance(lifetimeMs + 1_000)
      },
    })
    const target = `${proxy.host}/alice/app:v1`

    await push(target, local, ...asAlice)

    expect(isExpired).toBe(true)
    const refused = proxy.seen.findIndex(({ status, scheme }) => status === 401 && scheme === 'Bearer')
    expect(refused).toBeGreaterThan(0)
    const later = proxy.seen.slice(refused)
    expect(later.some(({ path, status }) => path.startsWith('/v2/token') && status === 200)).toBe(true)
    expect(later.at(-1)).toMatchObject({ method: 'PUT', path: '/v2/alice/app/manifests/v1', status: 201 })
  })
})
