import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { anImageIndex } from '../support/content/manifests.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import type { SeenRequest } from '../support/http/recording-proxy.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { alice, bob, setVisibility, startWithUsers } from './accounts.ts'
import type { ClientAtHome, OnAnswer } from './client-at-home.ts'
import { aClientAtHome, mounts, uploadedBytes } from './client-at-home.ts'
import { builtClient } from './client-programs.ts'
import { blobsOf, differences, pushTags, putManifest, putManifests } from './pulled-content.ts'
import type { Credentials } from './run-client.ts'

const program = await builtClient('regctl', 'version', '--format', '{{.VCSTag}}')
const chunkBytes = 300_000
let registry: RunningRegistry

beforeAll(async () => {
  registry = await startWithUsers()
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

async function start(onAnswer?: OnAnswer): Promise<ClientAtHome> {
  const regctl = await aClientAtHome(program, { url: registry.url, onAnswer })
  await regctl.run('registry', 'set', '--tls', 'disabled', regctl.host)
  return regctl
}

function login(regctl: ClientAtHome, { name, password }: Credentials): Promise<string> {
  return regctl.tell(password, 'registry', 'login', regctl.host, '--user', name, '--pass-stdin')
}

async function startLoggedIn(onAnswer?: OnAnswer): Promise<ClientAtHome> {
  const regctl = await start(onAnswer)
  await login(regctl, alice)
  return regctl
}

/** Makes regctl upload everything larger than a chunk in chunks. */
async function setChunks(regctl: ClientAtHome): Promise<void> {
  const bytes = String(chunkBytes)
  await regctl.run('registry', 'set', '--blob-chunk', bytes, '--blob-max', bytes, regctl.host)
}

type Patch = Pick<SeenRequest, 'contentRange' | 'sentBytes' | 'status'>

function patchesOf({ seen }: ClientAtHome): readonly Patch[] {
  return seen.flatMap(({ method, contentRange, sentBytes, status }) =>
    method === 'PATCH' ? [{ contentRange, sentBytes, status }] : [],
  )
}

interface Referrer {
  readonly digest: string
  readonly artifactType: string
}

/** Lists referrers in the order of their digests. */
async function listReferrers(
  regctl: ClientAtHome,
  image: string,
  ...flags: readonly string[]
): Promise<readonly Referrer[]> {
  const printed = await regctl.run('artifact', 'list', '--format', '{{json .}}', ...flags, image)
  const { descriptors } = JSON.parse(printed) as { readonly descriptors: readonly Referrer[] }
  return descriptors.toSorted((a, b) => a.digest.localeCompare(b.digest))
}

describe('regctl', () => {
  test('logs in only with the right password', async () => {
    await using regctl = await start()
    const index = anImageIndex()
    const image = `${regctl.host}/alice/login:v1`
    // Not a whole image: regctl waits longer after each refused request.
    const put = () => regctl.tell(index.bytes.toString('utf8'), 'manifest', 'put', image)

    await expect(put()).rejects.toThrow(/unauthorized/)
    await expect(login(regctl, { ...alice, password: 'wrong' })).rejects.toThrow(
      `failed to ping registry ${regctl.host}: unauthorized`,
    )
    await login(regctl, bob)
    await expect(put()).rejects.toThrow(
      'user bob may not push to alice/login: push below your own name, bob/, or ask alice or an administrator',
    )
    await login(regctl, alice)
    await put()

    expect(await regctl.run('manifest', 'head', image)).toBe(index.digest)
  })

  test('pushes an index of three platforms and pulls it into an empty layout with every byte', async () => {
    await using regctl = await startLoggedIn()
    const platforms = ['linux/amd64', 'linux/arm64/v8', 'linux/arm/v7']
    await using layout = await anOciLayout({ platforms, layerBytes: 1_000_000 })
    const image = `${regctl.host}/alice/index:v1`

    await regctl.run('image', 'copy', `ocidir://${layout.path}:v1`, image)
    await regctl.run('image', 'copy', image, 'ocidir://pulled:v1')

    expect(await differences(join(regctl.home, 'pulled'), layout.manifest)).toEqual([])
    const arm64 = await regctl.run('manifest', 'head', '--platform', 'linux/arm64/v8', image)
    expect(arm64).toBe(layout.images[1]?.digest)
  })

  test('pushes a blob in chunks, each with its range', async () => {
    await using regctl = await startLoggedIn()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'], layers: 1, layerBytes: 1_000_000 })
    const image = `${regctl.host}/alice/chunks:v1`
    await setChunks(regctl)

    await regctl.run('image', 'copy', `ocidir://${layout.path}:v1`, image)

    const { size = 0 } = layout.manifest.blobs[1] ?? {}
    expect(patchesOf(regctl)).toEqual(
      Array.from({ length: Math.ceil(size / chunkBytes) }, (_, n) => {
        const [first, end] = [n * chunkBytes, Math.min((n + 1) * chunkBytes, size)]
        return { contentRange: `${first}-${end - 1}`, sentBytes: end - first, status: 202 }
      }),
    )
    await regctl.run('image', 'copy', image, 'ocidir://pulled:v1')
    expect(await differences(join(regctl.home, 'pulled'), layout.manifest)).toEqual([])
  })

  test('reads the offset from a 416 after the response to a chunk was lost', async () => {
    let isLost = false
    await using regctl = await startLoggedIn((seen) => {
      if (isLost || seen.method !== 'PATCH' || !seen.contentRange.startsWith(`${chunkBytes}-`)) return
      isLost = true
      throw new Error('the answer is lost')
    })
    await using layout = await anOciLayout({ platforms: ['linux/amd64'], layers: 1, layerBytes: 1_000_000 })
    const image = `${regctl.host}/alice/lost:v1`
    await setChunks(regctl)

    await regctl.run('image', 'copy', `ocidir://${layout.path}:v1`, image)

    expect(patchesOf(regctl).map(({ status }) => status)).toEqual([202, 202, 416, 202, 202])
    // The Range of the refusal is enough for it.
    const asked = regctl.seen.filter(({ method, path }) => method === 'GET' && path.includes('/uploads/'))
    expect(asked).toEqual([])
    await regctl.run('image', 'copy', image, 'ocidir://pulled:v1')
    expect(await differences(join(regctl.home, 'pulled'), layout.manifest)).toEqual([])
  })

  test('copies between repositories only by mounts, without sending a byte of a blob', async () => {
    await using regctl = await startLoggedIn()
    await using layout = await anOciLayout({ layers: 3 })
    const [source, copy] = [`${regctl.host}/alice/source:v1`, `${regctl.host}/bob/copy:v1`]
    await regctl.run('image', 'copy', `ocidir://${layout.path}:v1`, source)
    expect(uploadedBytes(regctl.seen)).toBeGreaterThan(6 * 100_000)
    await setVisibility(registry, 'alice/source', 'public')
    await login(regctl, bob)
    const before = regctl.seen.length

    await regctl.run('image', 'copy', source, copy)

    const copying = regctl.seen.slice(before)
    expect(mounts(copying)).toEqual(blobsOf(layout.manifest).map(() => 201))
    expect(uploadedBytes(copying)).toBe(0)
    expect(await regctl.run('manifest', 'head', copy)).toBe(layout.manifest.digest)
  })

  test('attaches an artifact to an image, finds it by its type and copies both', async () => {
    await using regctl = await startLoggedIn()
    await using layout = await anOciLayout()
    const [image, copy] = [`${regctl.host}/alice/subject:v1`, `${regctl.host}/alice/subject-copy:v1`]
    await regctl.run('image', 'copy', `ocidir://${layout.path}:v1`, image)
    await writeFile(join(regctl.home, 'sbom.json'), '{"sbom":true}')
    const put = (type: string) =>
      regctl.run('artifact', 'put', '--artifact-type', type, '--subject', image, '--file', 'sbom.json')
    await put('application/vnd.example.sbom')
    await put('application/vnd.example.other')

    await regctl.run('image', 'copy', '--referrers', image, copy)

    const sboms = await listReferrers(regctl, copy, '--filter-artifact-type', 'application/vnd.example.sbom')
    expect(sboms).toMatchObject([{ artifactType: 'application/vnd.example.sbom' }])
    const sbom = `${regctl.host}/alice/subject-copy@${sboms[0]?.digest}`
    expect(await regctl.run('artifact', 'get', sbom)).toBe('{"sbom":true}')
    expect(await listReferrers(regctl, copy)).toEqual(await listReferrers(regctl, image))
    // With OCI-Subject in the response, the fallback tag for the referrers API is not needed.
    expect(await regctl.run('tag', 'ls', `${regctl.host}/alice/subject-copy`)).toBe('v1')
  })

  test('reads more referrers than fit on a page', async () => {
    await using regctl = await startLoggedIn()
    const subject = anImageIndex()
    const repository = `${registry.url}/v2/alice/referred`
    await putManifest(`${repository}/manifests/v1`, subject, alice)
    const referrers = Array.from({ length: 1_050 }, (_, n) =>
      anImageIndex({ subject: subject.descriptor, artifactType: `application/vnd.example.n${n}` }),
    )
    await putManifests(repository, referrers, alice)

    const listed = await listReferrers(regctl, `${regctl.host}/alice/referred:v1`)

    expect(listed.map(({ digest }) => digest)).toEqual(referrers.map(({ digest }) => digest).toSorted())
    expect(regctl.seen.filter(({ path }) => path.includes('/referrers/')).length).toBeGreaterThan(1)
  })

  test('lists tags in pages of the requested length', async () => {
    await using regctl = await startLoggedIn()
    const tags = await pushTags(`${registry.url}/v2/alice/pages`, 250, alice)
    const page = async (...args: readonly string[]) =>
      (await regctl.run('tag', 'ls', ...args, `${regctl.host}/alice/pages`)).split('\n')

    expect(await page('--limit', '100')).toEqual(tags.slice(0, 100))
    expect(await page('--limit', '100', '--last', 'tag-00099')).toEqual(tags.slice(100, 200))
    expect(await page('--limit', '100', '--last', 'tag-00199')).toEqual(tags.slice(200))
    expect(await page()).toEqual(tags)
  })

  test('deletes a single tag, and an image with all its tags', async () => {
    await using regctl = await startLoggedIn()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    await using other = await anOciLayout({ platforms: ['linux/amd64'] })
    const repository = `${regctl.host}/alice/delete`
    for (const tag of ['v1', 'v2', 'latest']) {
      await regctl.run('image', 'copy', `ocidir://${layout.path}:v1`, `${repository}:${tag}`)
    }
    await regctl.run('image', 'copy', `ocidir://${other.path}:v1`, `${repository}:v9`)
    const ls = async () => (await regctl.run('tag', 'ls', repository)).split('\n')

    await regctl.run('tag', 'delete', `${repository}:v2`)
    expect(await ls()).toEqual(['latest', 'v1', 'v9'])
    await regctl.run('image', 'delete', `${repository}@${layout.manifest.digest}`)

    expect(await ls()).toEqual(['v9'])
    await expect(regctl.run('manifest', 'get', `${repository}:v1`)).rejects.toThrow(/not found/)
  })
})
