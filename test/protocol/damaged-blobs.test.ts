/** Blobs whose files are missing or truncated: clients see them as absent, and the next push restores them. */
import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createLogger } from '../../src/telemetry/logger.ts'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { pushAtOnce, pushByChunks, pushByPatch, pushByPut } from '../support/uploads/blob-pushes.ts'
import { ask, type Answer } from '../support/http/client.ts'
import { startInProcess, type InProcessRegistry } from '../support/parts/in-process.ts'
import { anImageManifest, pushBlob, pushManifest, uploadUrl } from '../support/content/manifests.ts'
import { aRandomBlob, type TestBlob } from '../support/content/random.ts'
import { listBlobFiles, queryRows } from '../support/processes/stopped-data.ts'

const token = 'damage-metrics-token'
const lines: string[] = []
let registry: InProcessRegistry

beforeAll(async () => {
  const logger = createLogger({ level: 'error', destination: { write: (line) => void lines.push(line) } })
  registry = await startInProcess({ metrics: { token }, deps: { logger } })
})
afterAll(async () => {
  await registry[Symbol.asyncDispose]()
})

type Damage = (path: string) => Promise<void>

const damages: Readonly<Record<string, Damage>> = {
  deleted: (path) => rm(path),
  'cut short': (path) => truncate(path, 10),
  emptied: (path) => truncate(path, 0),
}

/** Makes a damaged blob, by default too large for the cache. */
async function aDamagedBlob(damage: Damage, size = 70_000) {
  const repository = registry.repository()
  const blob = aRandomBlob(size)
  await pushBlob(repository, blob)
  await damageBlob(damage, blob)
  return { repository, blob }
}

async function damageBlob(damage: Damage, blob: TestBlob): Promise<void> {
  const [path = '', ...others] = await listBlobFiles(registry.dataDir, blob.digest)
  expect(others).toEqual([])
  await damage(join(registry.dataDir, 'store', path))
}

async function head(repository: string, { digest }: TestBlob): Promise<Answer> {
  return await ask(`${repository}/blobs/${digest}`, { method: 'HEAD' })
}

async function expectServed(repository: string, blob: TestBlob): Promise<void> {
  const found = await head(repository, blob)
  expectStatus(found, 200)
  expect(found.headers['content-length']).toBe(String(blob.size))
  const got = await ask(`${repository}/blobs/${blob.digest}`)
  expectStatus(got, 200)
  expect(got.body.equals(blob.bytes)).toBe(true)
}

async function expectAbsent(repository: string, blob: TestBlob): Promise<void> {
  expectStatus(await head(repository, blob), 404)
  const got = await ask(`${repository}/blobs/${blob.digest}`)
  expectError(got, { status: 404, code: 'BLOB_UNKNOWN' })
}

describe.each(Object.entries(damages))('a blob whose file was %s', (_, damage) => {
  test('end-2, end-10: is absent, with a log line that names it and a metric', async () => {
    const { repository, blob } = await aDamagedBlob(damage)
    await expectAbsent(repository, blob)
    const key = queryRows(registry.dataDir, `select storage_key from blob where digest = '${blob.digest}'`)[0]
    const logged = lines.filter((line) => line.includes(blob.digest))
    expect(logged).toHaveLength(1)
    expect(logged[0]).toContain(String(key?.['storage_key']))
    expect(logged[0]).toContain('push it again')
    const metrics = await ask(`${registry.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
    expect(metrics.text()).toMatch(/lading_store_damaged_blobs_total [1-9]/)
  })

  test.each([
    ['end-4b', pushAtOnce],
    ['end-6', pushByPut],
    ['end-5', pushByPatch],
    ['end-5 in ranges', pushByChunks],
  ])('%s: is restored by a push, in every repository that has it', async (_name, push) => {
    const repository = registry.repository()
    const blob = aRandomBlob(70_000)
    await pushBlob(repository, blob)
    const other = registry.repository()
    const from = new URL(repository).pathname.slice('/v2/'.length)
    const mounted = await ask(`${other}/blobs/uploads/?mount=${blob.digest}&from=${from}`, { method: 'POST' })
    expectStatus(mounted, 201)
    await damageBlob(damage, blob)
    await expectAbsent(repository, blob)
    const third = registry.repository()
    const agent = new http.Agent()
    expectStatus(await push({ repositoryUrl: third, agent }, blob), 201)
    agent.destroy()
    for (const healed of [third, repository, other]) await expectServed(healed, blob)
  })

  test('end-11: is not mounted but uploaded, which repairs its source', async () => {
    const { repository, blob } = await aDamagedBlob(damage)
    const other = registry.repository()
    for (const query of ['', `&from=${new URL(repository).pathname.slice('/v2/'.length)}`]) {
      const answer = await ask(`${other}/blobs/uploads/?mount=${blob.digest}${query}`, { method: 'POST' })
      expectStatus(answer, 202)
      expectStatus(await ask(uploadUrl(other, answer).href, { method: 'DELETE' }), 204)
    }
    await pushBlob(other, blob)
    for (const healed of [other, repository]) await expectServed(healed, blob)
  })

  test('end-7: is named in the error of a manifest that needs it', async () => {
    const repository = registry.repository()
    const [config, layer] = [aRandomBlob(300), aRandomBlob(70_000)]
    const image = anImageManifest({ config, layers: [layer] })
    for (const blob of [config, layer]) await pushBlob(repository, blob)
    for (const blob of [config, layer]) await damageBlob(damage, blob)
    // The process does not check blobs that it stored in the last minutes.
    registry.advance(10 * 60_000)
    const refused = await ask(`${repository}/manifests/v1`, {
      method: 'PUT',
      body: image.bytes,
      headers: { 'content-type': image.mediaType },
    })
    expectError(refused, { status: 400, code: 'MANIFEST_BLOB_UNKNOWN' })
    for (const { digest } of [config, layer]) expect(refused.text()).toContain(digest)
    for (const blob of [config, layer]) await pushBlob(repository, blob)
    await pushManifest(repository, image, { reference: 'v1' })
  })
})

test('a small blob is served again when its file is restored', async () => {
  const repository = registry.repository()
  const blob = aRandomBlob(500)
  await pushBlob(repository, blob)
  const [path = ''] = await listBlobFiles(registry.dataDir, blob.digest)
  const file = join(registry.dataDir, 'store', path)
  const content = await readFile(file)
  await truncate(file, 10)
  await expectAbsent(repository, blob)
  await writeFile(file, content)
  await expectServed(repository, blob)
})
