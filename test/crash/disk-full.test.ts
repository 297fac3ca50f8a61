import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import type { Answer } from '../support/http/client.ts'
import { ask } from '../support/http/client.ts'
import { eventually } from '../support/eventually.ts'
import { fillDisk } from '../support/faults/full-disk.ts'
import { mountNew } from '../support/faults/loop-mount.ts'
import { generateContent } from '../support/content/generated-content.ts'
import { findViolations, Ledger } from '../support/uploads/ledger.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import { anImageManifest, pushBlob, pushImage } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { cleanData, compareData, listUploadFiles } from '../support/processes/stopped-data.ts'
import { askOffset, beginPatch, startUpload } from '../support/uploads/upload-client.ts'

const mebibyte = 1024 * 1024
const repository = '/v2/acme/app'

/** Starts a registry on a disk of 64 MiB that already holds one image. */
async function aRegistryOnASmallDisk() {
  const disk = await mountNew(64)
  onTestFinished(() => disk[Symbol.asyncDispose]())
  const registry = await startRegistry({ dataDir: join(disk.path, 'data') })
  onTestFinished(() => registry[Symbol.asyncDispose]())
  const ledger = new Ledger()
  const image = anImageManifest()
  await pushImage(registry.url + repository, image, { reference: 'kept' })
  for (const { digest } of image.blobs) ledger.settle(`${repository}/blobs/${digest}`, digest)
  settle(ledger, image, 'kept')
  return { disk, registry, ledger, image, url: registry.url + repository }
}

function settle(ledger: Ledger, manifest: TestManifest, ...references: readonly string[]): void {
  for (const reference of [manifest.digest, ...references]) {
    ledger.settle(`${repository}/manifests/${reference}`, manifest.digest)
  }
}

function expectNoSpace(answer: Answer | undefined): void {
  expect(answer?.status).toBe(507)
  expect(answer?.headers['content-type']).toContain('application/json')
  expect(answer?.json()).toMatchObject({ errors: [{ code: 'UNAVAILABLE', message: expect.any(String) }] })
}

async function expectConsistent(dataDir: string): Promise<void> {
  await cleanData(dataDir)
  expect(await compareData(dataDir)).toEqual([])
}

describe('A7: a full disk', () => {
  test('end-5: ends an upload with 507, and has space again when the session is cancelled', async () => {
    const { registry, ledger, url } = await aRegistryOnASmallDisk()
    const session = await startUpload(url)
    await using upload = await beginPatch(session, generateContent(100 * mebibyte, 7).read())
    expectNoSpace(await upload.end())
    expect(await findViolations(registry.url, ledger)).toEqual([])
    expect(await askOffset(session)).toBeLessThan(64 * mebibyte)

    expect((await ask(session.href, { method: 'DELETE' })).status).toBe(204)
    await eventually(
      () => listUploadFiles(registry.dataDir),
      (files) => files.length === 0,
    )
    const blob = aRandomBlob(20 * mebibyte)
    await pushBlob(url, blob)
    ledger.settle(`${repository}/blobs/${blob.digest}`, blob.digest)
    expect(await findViolations(registry.url, ledger)).toEqual([])
    await registry.stop()
    await expectConsistent(registry.dataDir)
  })

  test('end-4b: refuses a whole blob with 507 and leaves nothing of it', async () => {
    const { registry, ledger, url } = await aRegistryOnASmallDisk()
    const blob = aRandomBlob(80 * mebibyte)
    const refused = await ask(`${url}/blobs/uploads/?digest=${blob.digest}`, {
      method: 'POST',
      body: blob.bytes,
    })
    expectNoSpace(refused)
    expect((await ask(`${url}/blobs/${blob.digest}`)).status).toBe(404)
    await eventually(
      () => listUploadFiles(registry.dataDir),
      (files) => files.length === 0,
    )
    const smaller = aRandomBlob(20 * mebibyte)
    await pushBlob(url, smaller)
    ledger.settle(`${repository}/blobs/${smaller.digest}`, smaller.digest)
    expect(await findViolations(registry.url, ledger)).toEqual([])
  })

  test('end-5: lets an upload continue where it stopped when there is space again', async () => {
    const { disk, registry, ledger, url } = await aRegistryOnASmallDisk()
    await using ballast = await fillDisk(disk.path, 12 * mebibyte)
    const content = generateContent(30 * mebibyte, 8)
    const session = await startUpload(url)
    await using upload = await beginPatch(session, content.read())
    expectNoSpace(await upload.end())
    await ballast.release()
    const offset = await askOffset(session)
    await using rest = await beginPatch(session, content.read(offset))
    expect((await rest.end()).status).toBe(202)
    session.searchParams.set('digest', content.digest)
    expect((await ask(session.href, { method: 'PUT' })).status).toBe(201)
    ledger.settle(`${repository}/blobs/${content.digest}`, content.digest)
    expect(await findViolations(registry.url, ledger)).toEqual([])
    await registry.stop()
    await expectConsistent(registry.dataDir)
  })

  test('end-7: refuses manifests with 507, keeps the tag unchanged, and accepts them when there is space again', async () => {
    const { disk, registry, ledger, url } = await aRegistryOnASmallDisk()
    const layer = aRandomBlob(100)
    await pushBlob(url, layer)
    await using ballast = await fillDisk(disk.path, 6 * mebibyte)
    const push = async (index: number): Promise<Answer> => {
      const annotations = { 'org.example.filler': `${index} `.repeat(150_000) }
      const image = anImageManifest({ config: layer, layers: [layer], annotations })
      const headers = { 'content-type': image.mediaType }
      const answer = await ask(`${url}/manifests/moving`, { method: 'PUT', headers, body: image.bytes })
      if (answer.status === 201) settle(ledger, image, 'moving')
      else ledger.settle(`${repository}/manifests/${image.digest}`, undefined)
      return answer
    }
    const answers: Answer[] = []
    for (let index = 0; index < 60 && answers.at(-1)?.status !== 507; index += 1)
      answers.push(await push(index))
    expect(answers.length).toBeGreaterThan(1)
    expect(new Set(answers.slice(0, -1).map(({ status }) => status))).toEqual(new Set([201]))
    expectNoSpace(answers.at(-1))
    expect(await findViolations(registry.url, ledger)).toEqual([])

    await ballast.release()
    const accepted = await eventually(
      () => push(answers.length),
      ({ status }) => status === 201,
    )
    expect(accepted.status).toBe(201)
    expect(await findViolations(registry.url, ledger)).toEqual([])
    await registry.stop()
    await expectConsistent(registry.dataDir)
  })

  test('end-3, end-7: without a single free block, serves its content and acknowledges nothing that it cannot keep', async () => {
    const { disk, registry, ledger, image, url } = await aRegistryOnASmallDisk()
    await using ballast = await fillDisk(disk.path, 0)
    const headers = { 'content-type': image.mediaType }
    const tag = async (name: string): Promise<Answer> => {
      const answer = await ask(`${url}/manifests/${name}`, { method: 'PUT', headers, body: image.bytes })
      if (answer.status === 201) settle(ledger, image, name)
      else ledger.settle(`${repository}/manifests/${name}`, undefined)
      return answer
    }
    // The log's own free space is used first.
    let last: Answer | undefined
    for (let index = 0; index < 5000 && last?.status !== 507; index += 1) last = await tag(`t${index}`)
    expectNoSpace(last)
    const blob = aRandomBlob(100_000)
    expectNoSpace(
      await ask(`${url}/blobs/uploads/?digest=${blob.digest}`, { method: 'POST', body: blob.bytes }),
    )
    expect(await findViolations(registry.url, ledger)).toEqual([])

    await ballast.release()
    await eventually(
      () => tag('later'),
      ({ status }) => status === 201,
    )
    await pushBlob(url, blob)
    ledger.settle(`${repository}/blobs/${blob.digest}`, blob.digest)
    expect(await findViolations(registry.url, ledger)).toEqual([])
    await registry.stop()
    await expectConsistent(registry.dataDir)
  })
})
