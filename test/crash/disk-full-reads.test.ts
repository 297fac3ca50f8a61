import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'

import { expectError, expectStatus } from '../support/http/answers.ts'
import type { Answer } from '../support/http/client.ts'
import { ask } from '../support/http/client.ts'
import { cutLog } from '../support/faults/database-log.ts'
import { fillDisk } from '../support/faults/full-disk.ts'
import { mountNew } from '../support/faults/loop-mount.ts'
import { basic } from '../support/parts/identity-server.ts'
import { anArtifact, anImageManifest, pushImage } from '../support/content/manifests.ts'
import { startRegistry } from '../support/processes/start-registry.ts'

const password = 'the password of admin'
const headers = { authorization: basic('admin', password) }
const scope = 'repository:admin/app:pull'

/** Starts a registry with an image of the user `admin`, an artifact that points at it, and a signing key. */
async function aRegistryOnASmallDisk() {
  const disk = await mountNew(64)
  onTestFinished(() => disk[Symbol.asyncDispose]())
  const registry = await startRegistry({
    dataDir: join(disk.path, 'data'),
    env: {
      LADING_AUTH_ANONYMOUS: 'pull',
      LADING_ADMIN_PASSWORD: password,
      LADING_AUTH_REFRESH_TOKENS: 'true',
    },
  })
  onTestFinished(() => registry[Symbol.asyncDispose]())
  const url = `${registry.url}/v2/admin/app`
  const image = anImageManifest({ layerBytes: 200 * 1024 })
  await pushImage(url, image, { reference: 'v1', headers })
  await pushImage(url, anArtifact({ subject: image.descriptor }), { headers })
  const login = await askToken(registry.url, { grant_type: 'password', username: 'admin', password })
  const { refresh_token: refreshToken } = login.json() as { readonly refresh_token: string }
  const fill = async () => {
    cutLog(registry.dataDir)
    const ballast = await fillDisk(registry.dataDir, 0)
    onTestFinished(() => ballast.release())
  }
  return { registry, url, image, refreshToken, fill }
}

async function askToken(url: string, grant: Record<string, string>): Promise<Answer> {
  const form = new URLSearchParams({
    service: 'test',
    client_id: 'test',
    access_type: 'offline',
    scope,
    ...grant,
  })
  const answer = await ask(`${url}/v2/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  })
  expectStatus(answer, 200)
  return answer
}

describe('A7: on a disk without space', () => {
  test('users log in and read everything', async () => {
    const { registry, url, image, fill } = await aRegistryOnASmallDisk()
    await fill()
    const token = await ask(`${registry.url}/v2/token?scope=${scope}`, { headers })
    expectStatus(token, 200)
    const bearer = `Bearer ${(token.json() as { readonly token: string }).token}`
    const [config, layer] = image.blobs
    const paths = ['manifests/v1', 'tags/list', `referrers/${image.digest}`, `blobs/${config?.digest}`]
    for (const authorization of [headers.authorization, bearer]) {
      for (const path of paths) {
        expectStatus(await ask(`${url}/${path}`, { headers: { authorization } }), 200)
      }
      const blob = await ask(`${url}/blobs/${layer?.digest}`, { headers: { authorization } })
      expect(blob.body).toEqual(layer?.bytes)
      const range = { authorization, range: 'bytes=100000-' }
      const part = await ask(`${url}/blobs/${layer?.digest}`, { headers: range })
      expect(part.body).toEqual(layer?.bytes.subarray(100_000))
    }
    const wrong = basic('admin', 'a wrong password')
    const refused = await ask(`${registry.url}/v2/`, { headers: { authorization: wrong } })
    expectError(refused, { status: 401, code: 'UNAUTHORIZED' })
    expectStatus(await ask(`${registry.url}/healthz`), 200)
  })

  test('a long unused refresh token still gets a token for pulls', async () => {
    const { registry, url, refreshToken, fill } = await aRegistryOnASmallDisk()
    const aDayMs = 24 * 60 * 60 * 1000
    using database = new DatabaseSync(join(registry.dataDir, 'lading.db'))
    database.exec(`update refresh_token set used_at = used_at - ${aDayMs}`)
    await fill()
    const answer = await askToken(registry.url, { grant_type: 'refresh_token', refresh_token: refreshToken })
    const { access_token: token } = answer.json() as { readonly access_token: string }
    const pulled = await ask(`${url}/manifests/v1`, { headers: { authorization: `Bearer ${token}` } })
    expectStatus(pulled, 200)
  })

  test('a registry that cannot start reports it, and starts when there is space', async () => {
    const { registry } = await aRegistryOnASmallDisk()
    await registry.stop()
    const { dataDir } = registry
    const ballast = await fillDisk(dataDir, 0)
    await expect(startRegistry({ dataDir })).rejects.toThrow(
      /data: no space left in .*; free space on its disk/,
    )
    await ballast.release()
    await using again = await startRegistry({ dataDir })
    expectStatus(await ask(`${again.url}/healthz`), 200)
  })
})
