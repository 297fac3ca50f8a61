import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { ask } from '../support/http/client.ts'
import { mediaType } from '../support/content/manifests.ts'
import { anOciLayout } from '../support/content/oci-layout.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { aPodman, runClient } from './run-client.ts'

const { stdout: version } = await runClient('podman', ['--version'])
process.stdout.write(version)

const local = 'localhost/app:v1'

describe('podman', () => {
  test.for([
    { kind: 'an OCI image', flags: ['--format', 'oci'], type: mediaType.ociManifest },
    { kind: 'a Docker schema 2 image', flags: ['--format', 'v2s2'], type: mediaType.dockerManifest },
    { kind: 'zstd layers', flags: ['--compression-format', 'zstd'], type: mediaType.ociManifest },
    {
      kind: 'zstd:chunked layers',
      flags: ['--compression-format', 'zstd:chunked'],
      type: mediaType.ociManifest,
    },
  ])('pushes $kind and pulls it unchanged', async ({ flags, type }) => {
    await using registry = await startRegistry()
    await using podman = await aPodman()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'], layers: 3, layerBytes: 500_000 })
    await using folder = await tempFolder()
    const remote = `${registry.host}/team/app:v1`
    const digestFile = join(folder.path, 'digest')
    const id = await podman.run('pull', '--quiet', `oci:${layout.path}:v1`)

    await podman.run(
      'push',
      '--tls-verify=false',
      '--digestfile',
      digestFile,
      ...flags,
      id,
      `docker://${remote}`,
    )
    await podman.run('rmi', '--all', '--force')
    const pulledId = await podman.run('pull', '--quiet', '--tls-verify=false', remote)

    const pushed = await ask(`${registry.url}/v2/team/app/manifests/v1`, { method: 'HEAD' })
    expect(pushed.headers['content-type']).toBe(type)
    const digest = await readFile(digestFile, 'utf8')
    expect(pushed.headers['docker-content-digest']).toBe(digest)
    const inspected = await podman.run('inspect', '--format', '{{.Digest}} {{len .RootFS.Layers}}', pulledId)
    expect(inspected).toBe(`${digest} 3`)
  })

  test('pushes and pulls a manifest list with an image per platform', async () => {
    await using registry = await startRegistry()
    await using podman = await aPodman()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'], layerBytes: 300_000 })
    await using armLayout = await anOciLayout({ platforms: ['linux/arm64/v8'], layerBytes: 300_000 })
    const remote = `${registry.host}/team/list:v1`
    await podman.run('manifest', 'create', local)
    await podman.run('manifest', 'add', local, `oci:${layout.path}:v1`)
    await podman.run('manifest', 'add', local, `oci:${armLayout.path}:v1`)

    await podman.run('manifest', 'push', '--all', '--tls-verify=false', local, `docker://${remote}`)

    const list = await ask(`${registry.url}/v2/team/list/manifests/v1`)
    const { manifests } = list.json() as {
      manifests: { digest: string; platform: { architecture: string } }[]
    }
    expect(manifests.map(({ platform }) => platform.architecture).sort()).toEqual(['amd64', 'arm64'])
    const pulled = await podman.run('pull', '--quiet', '--tls-verify=false', '--arch', 'arm64', remote)
    expect(await podman.run('inspect', '--format', '{{.Architecture}}', pulled)).toBe('arm64')
  })

  test('answers search with the catalog and the tags', async () => {
    await using registry = await startRegistry()
    await using podman = await aPodman()
    await using layout = await anOciLayout({ platforms: ['linux/amd64'] })
    const id = await podman.run('pull', '--quiet', `oci:${layout.path}:v1`)
    for (const tag of ['v1', 'v2']) {
      await podman.run('push', '--tls-verify=false', id, `docker://${registry.host}/team/app:${tag}`)
    }

    const found = await podman.run('search', '--tls-verify=false', `${registry.host}/team`)
    const tags = await podman.run('search', '--list-tags', '--tls-verify=false', `${registry.host}/team/app`)

    expect(found).toContain(`${registry.host}/team/app`)
    expect(tags).toMatch(/v1[\s\S]*v2/)
  })
})
