import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { ask } from '../support/http/client.ts'
import { mediaType } from '../support/content/manifests.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { skopeo, skopeoCopy } from './run-client.ts'

process.stdout.write(`${await skopeo('--version')}\n`)

interface Inspected {
  readonly Digest: string
  readonly Layers: readonly string[]
  readonly Architecture: string
}

/** Returns the digest of the only entry of a layout's index.json. */
async function layoutDigest(path: string): Promise<string> {
  const index = JSON.parse(await readFile(join(path, 'index.json'), 'utf8')) as {
    readonly manifests: readonly [{ readonly digest: string }]
  }
  return index.manifests[0].digest
}

describe('skopeo', () => {
  test('copies a multi-platform image in and out with every digest unchanged', async () => {
    await using registry = await startRegistry()
    await using layout = await anOciLayout({
      platforms: ['linux/amd64', 'linux/arm64/v8', 'linux/arm/v7'],
      layerBytes: 1_000_000,
    })
    await using out = await tempFolder()
    const image = `docker://${registry.host}/team/app:v1`

    await skopeoCopy(`oci:${layout.path}:v1`, image)
    await skopeoCopy(image, `oci:${out.path}:v1`)

    expect(await layoutDigest(out.path)).toBe(layout.manifest.digest)
    for (const child of layout.images) {
      for (const { digest, bytes } of [child, ...child.blobs]) {
        const copied = await readFile(join(out.path, 'blobs/sha256', digest.replace('sha256:', '')))
        expect(copied.equals(bytes)).toBe(true)
      }
    }
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', image)
    expect(raw).toBe(layout.manifest.bytes.toString('utf8'))
  })

  test('chooses one platform of an index', async () => {
    await using registry = await startRegistry()
    await using layout = await anOciLayout({ platforms: ['linux/amd64', 'linux/arm64/v8'] })
    const image = `docker://${registry.host}/team/app:v1`
    await skopeoCopy(`oci:${layout.path}:v1`, image)

    const inspected = JSON.parse(
      await skopeo(
        '--override-arch',
        'arm64',
        '--override-variant',
        'v8',
        'inspect',
        '--tls-verify=false',
        image,
      ),
    ) as Inspected

    expect(inspected.Architecture).toBe('arm64')
    expect(inspected.Layers).toEqual(layout.images[1]?.blobs.slice(1).map((blob) => blob.digest))
  })

  test('pushes a Docker schema 2 image and list, which keep their media types', async () => {
    await using registry = await startRegistry()
    await using layout = await anOciLayout()
    const image = `${registry.host}/team/docker:v1`

    await skopeoCopy(`oci:${layout.path}:v1`, `docker://${image}`, '--format', 'v2s2')

    const list = await ask(`${registry.url}/v2/team/docker/manifests/v1`)
    expect(list.headers['content-type']).toBe(mediaType.dockerManifestList)
    const { manifests } = list.json() as { manifests: { digest: string; mediaType: string }[] }
    expect(manifests).toHaveLength(2)
    for (const { digest, mediaType: type } of manifests) {
      const child = await ask(`${registry.url}/v2/team/docker/manifests/${digest}`)
      expect([child.status, child.headers['content-type']]).toEqual([200, mediaType.dockerManifest])
      expect(type).toBe(mediaType.dockerManifest)
    }
    await using out = await tempFolder()
    await skopeoCopy(`docker://${image}`, `dir:${out.path}`)
  })

  test('copies to another repository without sending a byte of the layers again', async () => {
    await using registry = await startRegistry()
    await using layout = await anOciLayout({ layers: 3, layerBytes: 200_000 })
    const { host } = registry
    await skopeoCopy(`oci:${layout.path}:v1`, `docker://${host}/team/app:v1`)

    const log = await skopeoCopy(`docker://${host}/team/app:v1`, `docker://${host}/other/copy:v2`)

    expect(log.match(/\.\.\. mount OK/g)).toHaveLength(layout.images.length * 3)
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${host}/other/copy:v2`)
    expect(raw).toBe(layout.manifest.bytes.toString('utf8'))
    for (const image of layout.images) {
      for (const { digest } of image.blobs) {
        const blob = await ask(`${registry.url}/v2/other/copy/blobs/${digest}`, { method: 'HEAD' })
        expect(blob.status).toBe(200)
      }
    }
  })

  test('lists tags and deletes an image with all its tags', async () => {
    await using registry = await startRegistry()
    await using layout = await anOciLayout()
    const repository = `docker://${registry.host}/team/app`
    for (const tag of ['v1', 'v2', 'latest'])
      await skopeoCopy(`oci:${layout.path}:v1`, `${repository}:${tag}`)
    await using other = await anOciLayout({ tag: 'v9' })
    await skopeoCopy(`oci:${other.path}:v9`, `${repository}:v9`)
    const listTags = async () =>
      (JSON.parse(await skopeo('list-tags', '--tls-verify=false', repository)) as { Tags: string[] }).Tags
    expect(await listTags()).toEqual(['latest', 'v1', 'v2', 'v9'])

    await skopeo('delete', '--tls-verify=false', `${repository}:v1`)

    expect(await listTags()).toEqual(['v9'])
    await expect(skopeo('inspect', '--raw', '--tls-verify=false', `${repository}:v1`)).rejects.toThrow(
      /manifest unknown/,
    )
  })

  test('synchronises a repository into a folder', async () => {
    await using registry = await startRegistry()
    await using layout = await anOciLayout({ index: false, platforms: ['linux/amd64'] })
    for (const tag of ['v1', 'v2']) {
      await skopeoCopy(`oci:${layout.path}:v1`, `docker://${registry.host}/team/app:${tag}`)
    }
    await using out = await tempFolder()

    const source = `${registry.host}/team/app`
    await skopeo(
      'sync',
      '--all',
      '--src-tls-verify=false',
      '--src',
      'docker',
      '--dest',
      'dir',
      source,
      out.path,
    )

    for (const tag of ['v1', 'v2']) {
      const manifest = await readFile(join(out.path, `app:${tag}`, 'manifest.json'))
      expect(manifest.equals(layout.manifest.bytes)).toBe(true)
    }
  })
})
