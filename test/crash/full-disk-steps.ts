/**
 * The steps of pushes, deletions and cancels, each to run on a disk without space: its preparation, its request, and the right
 * state afterwards.
 */
import { expectStatus } from '../support/http/answers.ts'
import type { Answer } from '../support/http/client.ts'
import { ask } from '../support/http/client.ts'
import type { Content, Ledger } from '../support/uploads/ledger.ts'
import type { TestManifest } from '../support/content/manifests.ts'
import {
  anArtifact,
  anImageIndex,
  anImageManifest,
  pushBlob,
  pushImage,
} from '../support/content/manifests.ts'
import type { TestBlob } from '../support/content/random.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { askOffset } from '../support/uploads/upload-client.ts'
import { closeSession, openSession, patchChunk, patchStream } from '../support/uploads/upload-session.ts'

export interface Scene {
  /** The URL of the registry, without a slash at the end. */
  readonly url: string
  /** `/v2/<repository>`, used only by this step. */
  readonly base: string
  readonly ledger: Ledger
}

/** The right content at a path once the step is acknowledged. */
export interface Change {
  readonly path: string
  readonly content: Content
}

export interface Attempt {
  readonly success: number
  /** Sends the request; may be called again after a refusal, as a client would. */
  send(): Promise<Answer>
  readonly changes: readonly Change[]
  /** Completes the work after a success. */
  complete?(): Promise<readonly Change[]>
}

export interface Step {
  readonly name: string
  /** Prepares the step while there is space. */
  prepare(scene: Scene): Promise<Attempt>
}

/** Larger than the limit of the cache for small blobs, and than some of the free spaces. */
const blobBytes = 128 * 1024
/** The size of annotations, so that the rows of a manifest fill several pages of the database. */
const fillerBytes = 40 * 1024

function blobChange({ base }: Scene, { digest }: TestBlob): Change {
  return { path: `${base}/blobs/${digest}`, content: digest }
}

function manifestChanges({ base }: Scene, manifest: TestManifest, ...tags: readonly string[]): Change[] {
  return [manifest.digest, ...tags].map((reference) => ({
    path: `${base}/manifests/${reference}`,
    content: manifest.digest,
  }))
}

function gone(changes: readonly Change[]): Change[] {
  return changes.map(({ path }) => ({ path, content: undefined }))
}

/** Pushes an image and records it in the ledger. */
async function pushed(scene: Scene, image: TestManifest, tag: string): Promise<TestManifest> {
  await pushImage(scene.url + scene.base, image, { reference: tag })
  for (const { path, content } of manifestChanges(scene, image, tag)) scene.ledger.settle(path, content)
  for (const blob of image.blobs) scene.ledger.settle(`${scene.base}/blobs/${blob.digest}`, blob.digest)
  return image
}

async function withBlobs(scene: Scene, image: TestManifest): Promise<TestManifest> {
  for (const blob of image.blobs) {
    await pushBlob(scene.url + scene.base, blob)
    scene.ledger.settle(`${scene.base}/blobs/${blob.digest}`, blob.digest)
  }
  return image
}

function anImage(): TestManifest {
  const filler = 'filler '.repeat(fillerBytes / 7)
  return anImageManifest({ layerBytes: blobBytes, annotations: { 'org.example.filler': filler } })
}

function put({ url, base }: Scene, manifest: TestManifest, reference: string): Promise<Answer> {
  const headers = { 'content-type': manifest.mediaType }
  return ask(`${url}${base}/manifests/${reference}`, { method: 'PUT', headers, body: manifest.bytes })
}

function putStep(
  name: string,
  prepare: (scene: Scene) => Promise<{ manifest: TestManifest; reference?: string; tags?: string[] }>,
): Step {
  return {
    name,
    async prepare(scene) {
      const { manifest, tags = [], reference = tags[0] ?? manifest.digest } = await prepare(scene)
      const changes = manifestChanges(scene, manifest, ...tags)
      return { success: 201, send: () => put(scene, manifest, reference), changes }
    },
  }
}

/** Closes the session, which is the client's next step. */
function completing(scene: Scene, session: string, blob: TestBlob): Attempt['complete'] {
  return async () => {
    expectStatus(await closeSession(session, blob.digest), 201)
    return [blobChange(scene, blob)]
  }
}

function deleteStep(name: string, prepare: (scene: Scene) => Promise<Change[]>): Step {
  return {
    name,
    async prepare(scene) {
      const changes = gone(await prepare(scene))
      const path = changes[0]?.path ?? ''
      return { success: 202, send: () => ask(scene.url + path, { method: 'DELETE' }), changes }
    },
  }
}

/** Sends the bytes from `start` the first time, and from the session's offset each further time. */
function resending(
  session: string,
  start: number,
  sendFrom: (offset: number) => Promise<Answer>,
): () => Promise<Answer> {
  let isRepeated = false
  return async () => {
    const offset = isRepeated ? await askOffset(new URL(session)) : start
    isRepeated = true
    return await sendFrom(offset)
  }
}

const uploadSteps: readonly Step[] = [
  {
    name: 'end-4a: POST opens a session',
    async prepare(scene) {
      const url = `${scene.url}${scene.base}/blobs/uploads/`
      return { success: 202, send: () => ask(url, { method: 'POST' }), changes: [] }
    },
  },
  {
    name: 'end-5: PATCH streams a body',
    async prepare(scene) {
      const blob = aRandomBlob(blobBytes)
      const session = await openSession(scene.url + scene.base)
      const send = resending(session, 0, (offset) => patchStream(session, [blob.bytes.subarray(offset)]))
      return { success: 202, send, changes: [], complete: completing(scene, session, blob) }
    },
  },
  {
    name: 'end-5: PATCH sends a chunk',
    async prepare(scene) {
      const blob = aRandomBlob(blobBytes)
      const session = await openSession(scene.url + scene.base)
      expectStatus(await patchChunk(session, blob.bytes.subarray(0, 10_000), 0), 202)
      const send = resending(session, 10_000, (offset) =>
        patchChunk(session, blob.bytes.subarray(offset), offset),
      )
      return { success: 202, send, changes: [], complete: completing(scene, session, blob) }
    },
  },
  {
    name: 'end-6: PUT closes a session',
    async prepare(scene) {
      const blob = aRandomBlob(blobBytes)
      const session = await openSession(scene.url + scene.base)
      expectStatus(await patchStream(session, [blob.bytes]), 202)
      return {
        success: 201,
        send: () => closeSession(session, blob.digest),
        changes: [blobChange(scene, blob)],
      }
    },
  },
  {
    name: 'end-6: PUT brings the whole body',
    async prepare(scene) {
      const blob = aRandomBlob(blobBytes)
      const session = await openSession(scene.url + scene.base)
      const send = resending(session, 0, (offset) =>
        closeSession(session, blob.digest, { body: blob.bytes.subarray(offset) }),
      )
      return { success: 201, send, changes: [blobChange(scene, blob)] }
    },
  },
  {
    name: 'end-4b: POST brings the whole blob',
    async prepare(scene) {
      const blob = aRandomBlob(blobBytes)
      const url = `${scene.url}${scene.base}/blobs/uploads/?digest=${blob.digest}`
      const send = () => ask(url, { method: 'POST', body: blob.bytes })
      return { success: 201, send, changes: [blobChange(scene, blob)] }
    },
  },
  {
    name: 'end-11: POST mounts a blob',
    async prepare(scene) {
      const blob = aRandomBlob(blobBytes)
      const from = `${scene.base}-source`
      await pushBlob(scene.url + from, blob)
      scene.ledger.settle(`${from}/blobs/${blob.digest}`, blob.digest)
      const query = `mount=${blob.digest}&from=${from.slice('/v2/'.length)}`
      const send = () => ask(`${scene.url}${scene.base}/blobs/uploads/?${query}`, { method: 'POST' })
      return { success: 201, send, changes: [blobChange(scene, blob)] }
    },
  },
  {
    name: 'end-14: DELETE cancels a session',
    async prepare(scene) {
      const session = await openSession(scene.url + scene.base)
      expectStatus(await patchStream(session, [aRandomBlob(blobBytes).bytes]), 202)
      return { success: 204, send: () => ask(session, { method: 'DELETE' }), changes: [] }
    },
  },
]

const manifestSteps: readonly Step[] = [
  putStep('end-7: PUT of an image by digest', async (scene) => ({
    manifest: await withBlobs(scene, anImage()),
  })),
  putStep('end-7: PUT of an image makes a tag', async (scene) => ({
    manifest: await withBlobs(scene, anImage()),
    tags: ['new'],
  })),
  putStep('end-7: PUT of an image moves a tag', async (scene) => {
    await pushed(scene, anImage(), 'moving')
    return { manifest: await withBlobs(scene, anImage()), tags: ['moving'] }
  }),
  putStep('end-7: PUT of an index moves a tag', async (scene) => {
    const children = [await pushed(scene, anImage(), 'moving'), await pushed(scene, anImage(), 'other')]
    return { manifest: anImageIndex({ manifests: children }), tags: ['moving'] }
  }),
  putStep('end-7: PUT of an artifact with a subject', async (scene) => {
    const { descriptor } = await pushed(scene, anImage(), 'subject')
    return { manifest: await withBlobs(scene, anArtifact({ subject: descriptor })) }
  }),
  putStep('end-7b: PUT of an image makes many tags', async (scene) => {
    const manifest = await withBlobs(scene, anImage())
    const tags = Array.from({ length: 10 }, (_, index) => `t${index}`)
    return { manifest, tags, reference: `${manifest.digest}?${tags.map((tag) => `tag=${tag}`).join('&')}` }
  }),
  deleteStep('end-9: DELETE of a tag', async (scene) => {
    const image = await pushed(scene, anImage(), 'doomed')
    return manifestChanges(scene, image, 'doomed').slice(1)
  }),
  deleteStep('end-9: DELETE of a manifest', async (scene) =>
    manifestChanges(scene, await pushed(scene, anImage(), 'doomed'), 'doomed'),
  ),
  deleteStep('end-10: DELETE of a blob', async (scene) => {
    const blob = aRandomBlob(blobBytes)
    await pushBlob(scene.url + scene.base, blob)
    scene.ledger.settle(blobChange(scene, blob).path, blob.digest)
    return [blobChange(scene, blob)]
  }),
]

export const steps: readonly Step[] = [...uploadSteps, ...manifestSteps]
