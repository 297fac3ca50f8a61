import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import { expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import { eventually } from '../support/eventually.ts'
import { hangInBody, hangInHead, hangInReply } from '../support/faults/hanging-peer.ts'
import { readSlowly, slowly } from '../support/faults/slow-peer.ts'
import { anImageManifest, pushBlob, pushImage } from '../support/content/manifests.ts'
import { openServer } from '../support/parts/open-server.ts'
import { readProcessState } from '../support/processes/process-state.ts'
import { aRandomBlob } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'
import type { RawConnection } from '../support/http/raw-connection.ts'
import { statusesIn } from '../support/http/raw-connection.ts'
import type { RunningRegistry } from '../support/processes/start-registry.ts'
import { startRegistry } from '../support/processes/start-registry.ts'
import { cleanData, compareData, listUploadFiles } from '../support/processes/stopped-data.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { askOffset, beginPatch, closeUpload, startUpload } from '../support/uploads/upload-client.ts'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
const peersOfAKind = 30
/** More than the socket buffers of both sides hold. */
const largeBytes = 24 * mebibyte
/** How much of an upload a client sends before it breaks off, and how much of that must be in the store. */
const sentBytes = 300 * kibibyte
const arrivedBytes = 64 * kibibyte
/** The memory that a process keeps after serving: pools, caches, recent garbage. */
const mayStayMiB = 100

async function aRegistry(env: Readonly<Record<string, string>> = {}): Promise<RunningRegistry> {
  const folder = await tempFolder('lading-peers')
  const registry = await startRegistry({ dataDir: folder.path, env })
  onTestFinished(async () => {
    await registry[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  return registry
}

async function many<T>(open: (index: number) => Promise<T>): Promise<readonly T[]> {
  return await Promise.all(Array.from({ length: peersOfAKind }, (_, index) => open(index)))
}

/** Closes half of the connections cleanly and resets the other half, as a crashed client does. */
function leave(peers: readonly RawConnection[]): void {
  for (const [index, peer] of peers.entries()) {
    if (index % 2 === 0) peer.reset()
    else peer[Symbol.dispose]()
  }
}

async function expectLeftTogether(registry: RunningRegistry): Promise<void> {
  await registry.stop()
  await cleanData(registry.dataDir)
  expect(await compareData(registry.dataDir)).toEqual([])
}

async function countUploadBytes({ dataDir }: RunningRegistry): Promise<number> {
  const paths = await listUploadFiles(dataDir)
  const sizes = paths.map(async (path) => (await stat(join(dataDir, 'store/uploads', path))).size)
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0)
}

/** Starts an upload whose body stalls after a part of it is in the store. */
async function aBrokenUpload() {
  const registry = await aRegistry()
  const blob = aRandomBlob(mebibyte)
  const session = await startUpload(`${registry.url}/v2/acme/app`)
  const peer = await hangInBody(session, blob.bytes.subarray(0, sentBytes), blob.size)
  onTestFinished(() => peer[Symbol.dispose]())
  await eventually(
    () => countUploadBytes(registry),
    (bytes) => bytes >= arrivedBytes,
  )
  return { registry, blob, session, peer }
}

/** Resumes the upload at the session's offset and completes it. */
async function finish({ url }: RunningRegistry, session: URL, blob: TestBlob): Promise<void> {
  const offset = await askOffset(session)
  expect(offset).toBeGreaterThanOrEqual(arrivedBytes)
  expect(offset).toBeLessThanOrEqual(sentBytes)
  await using rest = await beginPatch(session, [blob.bytes.subarray(offset)])
  expectStatus(await rest.end(), 202)
  expectStatus(await closeUpload(session, blob.digest), 201)
  expect((await ask(`${url}/v2/acme/app/blobs/${blob.digest}`)).body).toEqual(blob.bytes)
}

/** Pushes an image and pulls it again. */
async function expectServing(url: string): Promise<void> {
  const image = anImageManifest({ layerBytes: 100 * kibibyte })
  await pushImage(url, image, { reference: 'meanwhile' })
  for (const path of ['manifests/meanwhile', ...image.blobs.map(({ digest }) => `blobs/${digest}`)]) {
    expectStatus(await ask(`${url}/${path}`), 200)
  }
}

describe('A4: peers that hang in heads, bodies and replies', () => {
  test('delay no other client, and leave nothing behind', async () => {
    const registry = await aRegistry()
    const url = `${registry.url}/v2/acme/app`
    const large = aRandomBlob(largeBytes)
    await pushBlob(url, large)
    await expectServing(url)
    const before = await readProcessState(registry.pid)

    const part = aRandomBlob(200 * kibibyte)
    const sessions = await many(() => startUpload(url))
    const peers = [
      ...(await many(() => hangInHead(registry.url))),
      ...(await Promise.all(sessions.map((session) => hangInBody(session, part.bytes, largeBytes)))),
      ...(await many(() => hangInReply(`${url}/blobs/${large.digest}`))),
    ]
    await eventually(
      () => readProcessState(registry.pid),
      // Each peer holds a socket, and each body and each reply a file.
      ({ descriptors }) => descriptors >= before.descriptors + 5 * peersOfAKind,
    )
    await expectServing(url)
    leave(peers)

    const after = await eventually(
      () => readProcessState(registry.pid),
      ({ descriptors }) => descriptors <= before.descriptors,
    )
    expect(after.residentMiB).toBeLessThan(before.residentMiB + mayStayMiB)
    await expectServing(url)
    await expectLeftTogether(registry)
  })

  test.each(['close', 'reset'] as const)(
    'end-5, end-13: leave a session that continues where they stopped: %s',
    async (end) => {
      const { registry, blob, session, peer } = await aBrokenUpload()
      if (end === 'close') peer[Symbol.dispose]()
      else peer.reset()
      await finish(registry, session, blob)
      await expectLeftTogether(registry)
    },
  )

  test('end-5, end-13: lose a session when another request needs it', async () => {
    const { registry, blob, session, peer } = await aBrokenUpload()
    await finish(registry, session, blob)
    expect(statusesIn(await peer.until((text) => text.endsWith('}')))).toEqual([416])
    peer[Symbol.dispose]()
    await expectLeftTogether(registry)
  })
})

describe('A4: a registry with a limit of a second for silence', () => {
  const env = { LADING_LIMITS_IDLE_TIMEOUT_MS: '1000' }

  test('end-5: answers 408 to a body that stops, and keeps the bytes received', async () => {
    const registry = await aRegistry(env)
    const url = `${registry.url}/v2/acme/app`
    const blob = aRandomBlob(mebibyte)
    const session = await startUpload(url)
    using peer = await hangInBody(session, blob.bytes.subarray(0, sentBytes), blob.size)
    expect(statusesIn(await peer.until((text) => text.endsWith('}')))).toEqual([408])
    expect(await askOffset(session)).toBe(sentBytes)
    await using rest = await beginPatch(session, [blob.bytes.subarray(sentBytes)])
    expectStatus(await rest.end(), 202)
    expectStatus(await closeUpload(session, blob.digest), 201)
  })

  test('end-5: accepts an upload of a few bytes a second', async () => {
    const registry = await aRegistry(env)
    const url = `${registry.url}/v2/acme/app`
    const blob = aRandomBlob(30)
    const session = await startUpload(url)
    expectStatus(await ask(session.href, { method: 'PATCH', body: slowly(blob.bytes, 10) }), 202)
    expectStatus(await closeUpload(session, blob.digest), 201)
    expect((await ask(`${url}/blobs/${blob.digest}`)).body).toEqual(blob.bytes)
  })
})

describe('A4: a server with limits of a second', () => {
  const limits = { headersMs: 1000, replyIdleMs: 1000 }

  test('cuts a head that comes one byte at a time', async () => {
    await using server = await openServer({ limits })
    using peer = await hangInHead(server.url)
    for await (const piece of slowly(Buffer.alloc(600, 'x'), 100)) {
      if (peer.closed) break
      peer.write(piece)
    }
    expect([[], [408]]).toContainEqual(statusesIn(await peer.untilClosed()))
  })

  test('end-2: cuts a reader that reads nothing, and serves a slow one to the end', async () => {
    await using server = await openServer({ limits })
    const blob = aRandomBlob(largeBytes)
    const url = `${server.url}/v2/acme/app`
    await pushBlob(url, blob)
    using stuck = await hangInReply(`${url}/blobs/${blob.digest}`)
    expect(await readSlowly(`${url}/blobs/${blob.digest}`, 8 * mebibyte)).toBe(blob.digest)
    stuck.resume()
    expect((await stuck.untilClosed()).length).toBeLessThan(largeBytes)
  })
})
