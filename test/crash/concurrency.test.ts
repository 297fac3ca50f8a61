import http from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'

import { blobPushes } from '../support/uploads/blob-pushes.ts'
import { ask } from '../support/http/client.ts'
import { eventually } from '../support/eventually.ts'
import {
  anImageIndex,
  anImageManifest,
  pushBlob,
  pushImage,
  pushManifest,
} from '../support/content/manifests.ts'
import { aRandomBlob, aRepositoryName } from '../support/content/random.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import {
  cleanData,
  compareData,
  listBlobFiles,
  listUploadFiles,
  queryRows,
} from '../support/processes/stopped-data.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'

const many = 200

async function aRegistry(): Promise<RunningRegistry> {
  const folder = await tempFolder('lading-concurrency')
  const registry = await startRegistry({ dataDir: folder.path })
  onTestFinished(async () => {
    await registry[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  return registry
}

function anAgent(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: many })
  onTestFinished(() => agent.destroy())
  return agent
}

interface Event {
  readonly kind: string
  readonly tag: string | null
  readonly before: string | null
  readonly after: string | null
}

/** Lists the repository's history in the audit, oldest first; the registry may be running. */
function listEvents(registry: RunningRegistry, name: string): readonly Event[] {
  const sql = `select action as kind, detail ->> 'tag' as tag, detail ->> 'before' as before,
    detail ->> 'digest' as after from audit_event where target = '${name}' order by id`
  return queryRows(registry.dataDir, sql) as unknown as readonly Event[]
}

async function expectCleanFolder(registry: RunningRegistry): Promise<void> {
  await registry.stop()
  expect(await cleanData(registry.dataDir)).toMatchObject({ endedUploads: 0, sweptKeys: 0 })
  expect(await compareData(registry.dataDir)).toEqual([])
}

describe('200 requests at the same time', () => {
  test('end-4b, end-5, end-6: upload one blob in every way and leave one file', async () => {
    const registry = await aRegistry()
    const agent = anAgent()
    const blob = aRandomBlob(700_000)
    const names = [aRepositoryName(), aRepositoryName()]
    const perWay = Array.from({ length: many / blobPushes.length }, (_, index) => index)
    const uploads = blobPushes.flatMap((push) =>
      perWay.map((index) => push({ repositoryUrl: `${registry.url}/v2/${names[index % 2]}`, agent }, blob)),
    )
    const answers = await Promise.all(uploads)
    expect(answers).toHaveLength(many)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    for (const name of names) {
      const answer = await ask(`${registry.url}/v2/${name}/blobs/${blob.digest}`)
      expect(answer.body.equals(blob.bytes)).toBe(true)
      const events = listEvents(registry, name)
      expect(new Set(events.map(({ kind, after }) => `${kind} ${after}`))).toEqual(
        new Set([`blob.push ${blob.digest}`]),
      )
    }
    await eventually(
      () => listBlobFiles(registry.dataDir, blob.digest),
      (files) => files.length === 1,
    )
    await eventually(
      () => listUploadFiles(registry.dataDir),
      (files) => files.length === 0,
    )
    await expectCleanFolder(registry)
  })

  test('end-7: push one tag, whose history is then one chain', async () => {
    const registry = await aRegistry()
    const agent = anAgent()
    const name = aRepositoryName()
    const url = `${registry.url}/v2/${name}`
    const layer = aRandomBlob(1000)
    const images = Array.from({ length: many }, (_, index) =>
      anImageManifest({ config: layer, layers: [layer], annotations: { 'org.example.index': `${index}` } }),
    )
    await pushBlob(url, layer)
    await Promise.all(images.map((image) => pushManifest(url, image, { reference: 'latest', agent })))

    const served = await ask(`${url}/manifests/latest`)
    expect(served.status).toBe(200)
    const events = listEvents(registry, name)
    const moves = events.filter(({ kind }) => kind === 'tag.create' || kind === 'tag.move')
    expect(moves.map(({ kind }) => kind)).toEqual(['tag.create', ...Array(many - 1).fill('tag.move')])
    expect(moves.map(({ before }) => before)).toEqual([null, ...moves.slice(0, -1).map(({ after }) => after)])
    expect(moves.at(-1)?.after).toBe(served.headers['docker-content-digest'])
    expect(new Set(moves.map(({ after }) => after))).toEqual(new Set(images.map(({ digest }) => digest)))
    expect(events.filter(({ kind }) => kind === 'manifest.push')).toHaveLength(many)
    await expectCleanFolder(registry)
  })

  test('end-7: push one manifest under 50 tags, four times each', async () => {
    const registry = await aRegistry()
    const agent = anAgent()
    const name = aRepositoryName()
    const url = `${registry.url}/v2/${name}`
    const image = anImageManifest()
    for (const blob of image.blobs) await pushBlob(url, blob)
    const tags = Array.from({ length: 50 }, (_, index) => `v${index}`)
    const pushes = Array.from({ length: many }, (_, index) => tags[index % tags.length] ?? '')
    await Promise.all(pushes.map((reference) => pushManifest(url, image, { reference, agent })))

    const list = (await ask(`${url}/tags/list`)).json() as { readonly tags: readonly string[] }
    expect(list.tags).toEqual(tags.toSorted())
    const created = listEvents(registry, name).filter(({ kind }) => kind === 'tag.create')
    expect(created.map(({ tag }) => `${tag}`).toSorted()).toEqual(tags.toSorted())
    expect(queryRows(registry.dataDir, 'select digest from manifest')).toEqual([{ digest: image.digest }])
    await expectCleanFolder(registry)
  })

  test('F4: push the children of one index, and the index with them', async () => {
    const registry = await aRegistry()
    const agent = anAgent()
    const url = `${registry.url}/v2/${aRepositoryName()}`
    const shared = aRandomBlob(50_000)
    const children = Array.from({ length: 50 }, () => anImageManifest({ layers: [shared, aRandomBlob(500)] }))
    const index = anImageIndex({ manifests: children })
    await Promise.all([
      ...children.map((child) => pushImage(url, child, { agent })),
      pushManifest(url, index, { reference: 'multi', agent }),
    ])
    const paths = [index, ...children].flatMap(({ digest, blobs }) => [
      `/manifests/${digest}`,
      ...blobs.map((blob) => `/blobs/${blob.digest}`),
    ])
    const statuses = await Promise.all(
      paths.map(async (path) => (await ask(`${url}${path}`, { agent })).status),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    await eventually(
      () => listBlobFiles(registry.dataDir, shared.digest),
      (files) => files.length === 1,
    )
    await expectCleanFolder(registry)
  })
})
