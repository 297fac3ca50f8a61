/** end-9 and end-10: deleting tags, manifests and blobs. */
import { describe, expect, test } from 'vitest'
import { listAuditEvents } from '../../src/metadata/audit/audit-events.ts'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import {
  anArtifact,
  anImageIndex,
  anImageManifest,
  pushBlob,
  pushImage,
  pushManifest,
} from '../support/content/manifests.ts'
import { aRandomBlob, digestOf } from '../support/content/random.ts'

const registry = shareRegistry()

async function remove(url: string): Promise<Answer> {
  return await ask(url, { method: 'DELETE' })
}

async function statusOf(url: string): Promise<number> {
  const [get, head] = await Promise.all([ask(url), ask(url, { method: 'HEAD' })])
  expect(head.status).toBe(get.status)
  return get.status
}

async function tagsOf(repository: string): Promise<readonly string[]> {
  return ((await ask(`${repository}/tags/list`)).json() as { tags: string[] }).tags
}

describe('deleting a tag', () => {
  test('end-9: removes only this tag', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    for (const tag of ['v1', 'v2']) await pushImage(repository, image, { reference: tag })
    const answer = await remove(`${repository}/manifests/v1`)
    expectStatus(answer, 202)
    expect(answer.headers['content-length']).toBe('0')
    expect(await statusOf(`${repository}/manifests/v1`)).toBe(404)
    expect(await statusOf(`${repository}/manifests/v2`)).toBe(200)
    expect(await statusOf(`${repository}/manifests/${image.digest}`)).toBe(200)
    expect(await tagsOf(repository)).toEqual(['v2'])
    await remove(`${repository}/manifests/v2`)
    expect(await statusOf(`${repository}/manifests/${image.digest}`)).toBe(200)
    expect(await tagsOf(repository)).toEqual([])
  })

  test('end-9: answers 404 with the name for a deleted tag and one that never existed', async () => {
    const repository = registry.repository()
    await pushImage(repository, anImageManifest(), { reference: 'v1' })
    expectStatus(await remove(`${repository}/manifests/v1`), 202)
    const wanted = { status: 404, code: 'MANIFEST_UNKNOWN', naming: ['v1'] }
    expectError(await remove(`${repository}/manifests/v1`), wanted)
  })

  test('end-9: a deleted tag can be pushed again', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image, { reference: 'v1' })
    await remove(`${repository}/manifests/v1`)
    await pushManifest(repository, image, { reference: 'v1' })
    expect(await statusOf(`${repository}/manifests/v1`)).toBe(200)
  })

  test('end-9: succeeds for exactly one of twenty simultaneous deletes', async () => {
    const repository = registry.repository()
    await pushImage(repository, anImageManifest(), { reference: 'v1' })
    const answers = await Promise.all(Array.from({ length: 20 }, () => remove(`${repository}/manifests/v1`)))
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(19)
  })
})

describe('deleting a manifest', () => {
  test('end-9: removes all its tags, and none of other manifests', async () => {
    const repository = registry.repository()
    const [image, other] = [anImageManifest(), anImageManifest()]
    for (const tag of ['v1', 'v2', 'latest']) await pushImage(repository, image, { reference: tag })
    await pushImage(repository, other, { reference: 'other' })
    expectStatus(await remove(`${repository}/manifests/${image.digest}`), 202)
    for (const reference of ['v1', 'v2', 'latest', image.digest]) {
      expect(await statusOf(`${repository}/manifests/${reference}`)).toBe(404)
    }
    expect(await tagsOf(repository)).toEqual(['other'])
    const wanted = { status: 404, code: 'MANIFEST_UNKNOWN', naming: [image.digest] }
    expectError(await remove(`${repository}/manifests/${image.digest}`), wanted)
  })

  test('end-9: under one digest leaves the same bytes under another', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    const sha512 = digestOf(image.bytes, 'sha512')
    await pushImage(repository, image, { reference: 'v1' })
    await pushManifest(repository, image, { reference: sha512 })
    expectStatus(await remove(`${repository}/manifests/${sha512}`), 202)
    expect(await statusOf(`${repository}/manifests/${sha512}`)).toBe(404)
    expect(await statusOf(`${repository}/manifests/v1`)).toBe(200)
  })

  test('end-9: leaves it in other repositories', async () => {
    const [one, two] = [registry.repository(), registry.repository()]
    const image = anImageManifest()
    for (const each of [one, two]) await pushImage(each, image, { reference: 'v1' })
    expect(await statusOf(`${one}/manifests/${image.digest}`)).toBe(200)
    expectStatus(await remove(`${one}/manifests/${image.digest}`), 202)
    expect(await statusOf(`${one}/manifests/${image.digest}`)).toBe(404)
    expect(await statusOf(`${two}/manifests/v1`)).toBe(200)
  })

  test('end-9: in a repository that never existed answers 404 with its name', async () => {
    const repository = registry.repository()
    const wanted = {
      status: 404,
      code: 'MANIFEST_UNKNOWN',
      naming: [new URL(repository).pathname.slice('/v2/'.length)],
    }
    expectError(await remove(`${repository}/manifests/${aRandomBlob().digest}`), wanted)
    expectError(await remove(`${repository}/manifests/v1`), wanted)
  })

  test('end-9: a child of an index can be deleted, and the index stays', async () => {
    const repository = registry.repository()
    const child = anImageManifest()
    const index = anImageIndex({ manifests: [child] })
    await pushImage(repository, index, { reference: 'v1' })
    expectStatus(await remove(`${repository}/manifests/${child.digest}`), 202)
    expect(await statusOf(`${repository}/manifests/v1`)).toBe(200)
  })

  test('end-9: a subject can be deleted, and its referrers stay', async () => {
    const repository = registry.repository()
    const subject = anImageManifest()
    const referrer = anArtifact({ subject: subject.descriptor })
    for (const each of [subject, referrer]) await pushImage(repository, each)
    expectStatus(await remove(`${repository}/manifests/${subject.digest}`), 202)
    expect(await statusOf(`${repository}/manifests/${referrer.digest}`)).toBe(200)
  })

  test('F1: deleted content can be pushed again, and is complete', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image, { reference: 'v1' })
    await remove(`${repository}/manifests/${image.digest}`)
    for (const { digest } of image.blobs) expectStatus(await remove(`${repository}/blobs/${digest}`), 202)
    await pushImage(repository, image, { reference: 'v1' })
    for (const blob of image.blobs) {
      expect((await ask(`${repository}/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
    }
  })
})

describe('deleting a blob', () => {
  test('end-10: answers 202 once, then 404', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob()
    await pushBlob(repository, blob)
    const answer = await remove(`${repository}/blobs/${blob.digest}`)
    expectStatus(answer, 202)
    expect(answer.headers['content-length']).toBe('0')
    expect(await statusOf(`${repository}/blobs/${blob.digest}`)).toBe(404)
    const wanted = { status: 404, code: 'BLOB_UNKNOWN', naming: [blob.digest] }
    expectError(await remove(`${repository}/blobs/${blob.digest}`), wanted)
    expectError(await remove(`${registry.repository()}/blobs/${blob.digest}`), wanted)
  })

  test('end-10: is refused while a manifest uses it, naming both, and succeeds after the manifest is deleted', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image, { reference: 'v1' })
    for (const { digest } of image.blobs) {
      const answer = await remove(`${repository}/blobs/${digest}`)
      expectError(answer, { status: 405, code: 'UNSUPPORTED', naming: [digest, image.digest, /first/] })
      expect(await statusOf(`${repository}/blobs/${digest}`)).toBe(200)
    }
    await remove(`${repository}/manifests/v1`)
    expect((await remove(`${repository}/blobs/${image.blobs[0]?.digest}`)).status).toBe(405)
    await remove(`${repository}/manifests/${image.digest}`)
    for (const { digest } of image.blobs) expectStatus(await remove(`${repository}/blobs/${digest}`), 202)
  })

  test('end-10: is refused until both manifests that share it are deleted', async () => {
    const repository = registry.repository()
    const layers = [aRandomBlob()]
    const [one, two] = [anImageManifest({ layers }), anImageManifest({ layers })]
    for (const each of [one, two]) await pushImage(repository, each)
    const url = `${repository}/blobs/${layers[0]?.digest}`
    await remove(`${repository}/manifests/${one.digest}`)
    expectError(await remove(url), { status: 405, code: 'UNSUPPORTED', naming: [two.digest] })
    await remove(`${repository}/manifests/${two.digest}`)
    expectStatus(await remove(url), 202)
  })

  test('end-10: is not prevented by a manifest of another repository', async () => {
    const [mine, other] = [registry.repository(), registry.repository()]
    const image = anImageManifest()
    await pushImage(other, image)
    const blob = image.blobs[1] ?? aRandomBlob()
    await pushBlob(mine, blob)
    expectStatus(await remove(`${mine}/blobs/${blob.digest}`), 202)
    expect((await ask(`${other}/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
  })

  test('end-10: answers 404 for a manifest', async () => {
    const repository = registry.repository()
    const image = anImageManifest()
    await pushImage(repository, image)
    expectError(await remove(`${repository}/blobs/${image.digest}`), { status: 404, code: 'BLOB_UNKNOWN' })
    expect(await statusOf(`${repository}/manifests/${image.digest}`)).toBe(200)
  })
})

describe('the history in the audit', () => {
  test('end-7a, end-9, end-10: has pushes, moves and deletes in their order', async () => {
    const repository = registry.repository()
    const [one, two] = [anImageManifest({ layers: 0 }), anImageManifest({ layers: 0 })]
    await pushImage(repository, one, { reference: 'v1' })
    await pushImage(repository, two, { reference: 'v1' })
    await pushManifest(repository, two, { reference: 'v1' })
    await remove(`${repository}/manifests/${one.digest}`)
    await remove(`${repository}/manifests/${two.digest}`)
    await remove(`${repository}/blobs/${one.blobs[0]?.digest}`)
    const { reader } = registry.app.metadata
    const target = new URL(repository).pathname.slice('/v2/'.length)
    const { events } = await listAuditEvents(reader, { filter: { target }, limit: 100 })
    expect(events.map(({ action, detail }) => [action, detail])).toEqual([
      ['blob.push', { digest: one.blobs[0]?.digest }],
      ['manifest.push', { digest: one.digest }],
      ['tag.create', { tag: 'v1', digest: one.digest }],
      ['blob.push', { digest: two.blobs[0]?.digest }],
      ['manifest.push', { digest: two.digest }],
      ['tag.move', { tag: 'v1', before: one.digest, digest: two.digest }],
      ['manifest.push', { digest: two.digest }],
      ['manifest.delete', { digest: one.digest }],
      ['tag.delete', { tag: 'v1', digest: two.digest }],
      ['manifest.delete', { digest: two.digest }],
      ['blob.delete', { digest: one.blobs[0]?.digest }],
    ])
    expect(new Set(events.map(({ actor }) => actor.id))).toEqual(new Set(['anonymous']))
  })
})

describe('delete.enabled: false', () => {
  const readOnly = shareRegistry({ delete: { enabled: false } })

  test('B5: keeps tags, manifests and blobs, and the error names the setting', async () => {
    const repository = readOnly.repository()
    const image = anImageManifest()
    const blob = aRandomBlob()
    await pushImage(repository, image, { reference: 'v1' })
    await pushBlob(repository, blob)
    const paths = ['manifests/v1', `manifests/${image.digest}`, `blobs/${blob.digest}`, 'manifests/none']
    for (const path of paths) {
      const answer = await remove(`${repository}/${path}`)
      expectError(answer, { status: 405, code: 'UNSUPPORTED', naming: ['delete.enabled'] })
    }
    for (const path of paths.slice(0, 3)) expect(await statusOf(`${repository}/${path}`)).toBe(200)
  })

  test('end-14: still lets an upload be cancelled', async () => {
    const repository = readOnly.repository()
    const start = await ask(`${repository}/blobs/uploads/`, { method: 'POST' })
    expectStatus(await remove(`${readOnly.url}${String(start.headers.location)}`), 204)
  })
})
