/** Upload sessions under stress: their owners, several writers, lost connections, limits, expiry, early refusals. */
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../support/parts/silent-log.ts'
import { expireUploads } from '../../src/lifecycle/expire-uploads.ts'
import { findUpload } from '../../src/metadata/content/uploads.ts'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask, openRequest } from '../support/http/client.ts'
import type { Answer, OpenRequest } from '../support/http/client.ts'
import { shareRegistry, startInProcess } from '../support/parts/in-process.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'
import {
  closeSession,
  openSession,
  patchChunk,
  patchStream,
  sessionId,
} from '../support/uploads/upload-session.ts'

const gibibyte = 1024 * 1024 * 1024

/** Returns the size of a session from its `Range`, which does not distinguish one byte from none. */
function heldBy(answer: Answer): number {
  expectStatus(answer, 204)
  const last = Number(/^0-(\d+)$/.exec(answer.headers.range ?? '')?.[1])
  return last === 0 ? 0 : last + 1
}

describe('the owner of a session', () => {
  const registry = shareRegistry()

  test('B3: a session is unknown in every other repository, and unharmed by attempts there', async () => {
    const [mine, other] = [registry.repository(), registry.repository()]
    const blob = aRandomBlob()
    const session = await openSession(mine)
    await pushBlob(other, aRandomBlob())
    const foreign = session.replace(new URL(mine).pathname, new URL(other).pathname)
    const wanted = { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' }
    expectError(await ask(foreign), wanted)
    expectError(await ask(foreign, { method: 'PATCH', body: 'x' }), wanted)
    expectError(await closeSession(foreign, blob.digest, { body: blob.bytes }), wanted)
    expectError(await ask(foreign, { method: 'DELETE' }), wanted)
    expectStatus(await closeSession(session, blob.digest, { body: blob.bytes }), 201)
    expectError(await closeSession(foreign, blob.digest), wanted)
    expect((await ask(`${other}/blobs/${blob.digest}`)).status).toBe(404)
  })

  test('B3: a part or a case variant of a session id is unknown', async () => {
    const session = await openSession(registry.repository())
    const id = sessionId(session)
    for (const other of [id.slice(0, -1), `${id}0`, id.toUpperCase()]) {
      expect((await ask(session.replace(id, other))).status).toBe(404)
    }
  })
})

describe.each(['filesystem', 'memory'] as const)('a running PATCH in the %s store', (driver) => {
  // Each test waits a second for a record, so they wait together.
  const registry = shareRegistry({ storage: { driver } })

  /**
   * Sends half of the bytes, then single bytes until the session's row has recorded that half: a registry records the progress of
   * a body every second. A request for the state would end the PATCH. Returns how many bytes were sent.
   */
  async function sendUntilRecorded(request: OpenRequest, session: string, bytes: Buffer): Promise<number> {
    const wanted = bytes.length / 2
    await request.write(bytes.subarray(0, wanted))
    for (let sent = wanted; sent < bytes.length; sent += 1) {
      await request.write(bytes.subarray(sent, sent + 1))
      // The record waits for the disk; 500 of these pauses are enough for a busy one.
      await pause(20)
      const row = await findUpload(registry.app.metadata.reader, sessionId(session))
      if ((row?.offset ?? 0) >= wanted) return sent + 1
    }
    throw new Error('the session records nothing')
  }

  async function finish(
    session: string,
    blob: TestBlob,
    rest: { offset: number; repository: string },
  ): Promise<void> {
    const { offset, repository } = rest
    expectStatus(await patchChunk(session, blob.bytes.subarray(offset), offset), 202)
    expectStatus(await closeSession(session, blob.digest), 201)
    expect((await ask(`${repository}/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
  }

  test.concurrent('end-13: is ended by a request for the state, so that the response stays true; the client continues from there', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(100_000)
    const session = await openSession(repository)
    await using patch = openRequest(session, { method: 'PATCH' })
    const sent = await sendUntilRecorded(patch, session, blob.bytes)
    const offset = heldBy(await ask(session))
    expect(offset).toBeGreaterThanOrEqual(50_000)
    expect(offset).toBeLessThanOrEqual(sent)
    const lost = await patch.answer
    expectError(lost, { status: 416, code: 'RANGE_INVALID', naming: [`must start at ${offset}`] })
    expect(heldBy(await ask(session))).toBe(offset)
    await finish(session, blob, { offset, repository })
  })

  test.concurrent.each([
    ['end-5: PATCH', ''],
    ['end-6: PUT', '?digest={digest}'],
  ])(
    '%s: bytes received before a lost connection are kept, and no part of a blob is visible',
    async (title, query) => {
      const repository = registry.repository()
      const blob = aRandomBlob(100_000)
      const session = await openSession(repository)
      const method = title.endsWith('PUT') ? 'PUT' : 'PATCH'
      const headers = { 'content-length': blob.size, 'content-range': `0-${blob.size - 1}` }
      const request = openRequest(`${session}${query.replace('{digest}', blob.digest)}`, { method, headers })
      const sent = await sendUntilRecorded(request, session, blob.bytes)
      request.cut()
      const offset = heldBy(await ask(session))
      expect(offset).toBeGreaterThanOrEqual(50_000)
      expect(offset).toBeLessThanOrEqual(sent)
      expect((await ask(`${repository}/blobs/${blob.digest}`)).status).toBe(404)
      await finish(session, blob, { offset, repository })
    },
  )

  test.concurrent('end-5: a second writer at the right offset takes the session over; the first one gets the offset', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(4000)
    const session = await openSession(repository)
    expectStatus(await patchChunk(session, blob.bytes.subarray(0, 2000), 0), 202)
    await using hanging = openRequest(session, { method: 'PATCH' })
    hanging.sendHead()
    while ((await findUpload(registry.app.metadata.reader, sessionId(session)))?.writer === undefined)
      await turn()
    expectStatus(await patchChunk(session, blob.bytes.subarray(2000, 3000), 2000), 202)
    const lost = await hanging.answer
    expectError(lost, { status: 416, code: 'RANGE_INVALID' })
    expect(lost.headers.range).toMatch(/^0-(1999|2999)$/)
    await finish(session, blob, { offset: 3000, repository })
  })

  test.concurrent('end-5: many writers of one chunk leave a session that one of them can finish', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(20_000)
    const session = await openSession(repository)
    const answers = await Promise.all(Array.from({ length: 10 }, () => patchChunk(session, blob.bytes, 0)))
    expect(answers.filter(({ status }) => status === 202).length).toBeLessThanOrEqual(1)
    expect(answers.filter(({ status }) => status !== 202 && status !== 416)).toEqual([])
    const offset = heldBy(await ask(session))
    if (offset < blob.size) expectStatus(await patchChunk(session, blob.bytes.subarray(offset), offset), 202)
    expectStatus(await closeSession(session, blob.digest), 201)
  })

  test.concurrent('end-6: many closing PUTs of one session end it once and all succeed', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(20_000)
    const session = await openSession(repository)
    expectStatus(await patchStream(session, [blob.bytes]), 202)
    const answers = await Promise.all(Array.from({ length: 10 }, () => closeSession(session, blob.digest)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201))
    expect((await ask(session)).status).toBe(404)
    expect((await ask(`${repository}/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
  })

  test.concurrent('end-14: DELETE ends a session while a PATCH is running', async () => {
    const session = await openSession(registry.repository())
    await using patch = openRequest(session, { method: 'PATCH' })
    await sendUntilRecorded(patch, session, Buffer.alloc(1000))
    expect((await ask(session, { method: 'DELETE' })).status).toBe(204)
    const answer = await patch.answer
    expect([404, 416]).toContain(answer.status)
    expect((await ask(session)).status).toBe(404)
  })
})

describe('the number of sessions', () => {
  test('end-4a, end-11: one above the limit gets 429 with the limit and the time to retry', async () => {
    await using registry = await startInProcess({ uploads: { maxSessions: 2 } })
    const repository = registry.repository()
    const blob = aRandomBlob()
    await pushBlob(repository, blob)
    const [session, other] = [await openSession(repository), await openSession(registry.repository())]
    expectStatus(await patchChunk(session, blob.bytes, 0), 202)
    expectStatus(await patchChunk(other, blob.bytes, 0), 202)
    for (const query of ['', `?mount=${aRandomBlob().digest}`, '?digest-algorithm=sha512']) {
      const answer = await ask(`${repository}/blobs/uploads/${query}`, { method: 'POST' })
      expectError(answer, { status: 429, code: 'TOOMANYREQUESTS', naming: ['2', /finish|cancel/] })
      // The registry of this test keeps a session for a day.
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(86_000)
    }
    const single = `${repository}/blobs/uploads/?digest=${blob.digest}`
    expectStatus(await ask(single, { method: 'POST', body: blob.bytes }), 201)
    const mount = await ask(`${registry.repository()}/blobs/uploads/?mount=${blob.digest}`, {
      method: 'POST',
    })
    expectStatus(mount, 201)
    expect((await ask(session, { method: 'DELETE' })).status).toBe(204)
    await openSession(repository)
  })

  test('end-4a, end-5: sessions without a writer make room for new ones, and are then unknown', async () => {
    await using registry = await startInProcess({ uploads: { maxSessions: 2 } })
    const repository = registry.repository()
    const forgotten = await openSession(repository)
    for (let count = 0; count < 10; count += 1) {
      const mount = `${repository}/blobs/uploads/?mount=${aRandomBlob().digest}`
      expectStatus(await ask(mount, { method: 'POST' }), 202)
    }
    const wanted = { status: 404, code: 'BLOB_UPLOAD_UNKNOWN', naming: [sessionId(forgotten), /POST/] }
    expectError(await patchChunk(forgotten, aRandomBlob().bytes, 0), wanted)
    const blob = aRandomBlob()
    expectStatus(await closeSession(await openSession(repository), blob.digest, { body: blob.bytes }), 201)
  })

  test('end-4b, end-6: every end of a session, good or bad, frees its place', async () => {
    await using registry = await startInProcess({ uploads: { maxSessions: 1 } })
    const repository = registry.repository()
    for (let time = 0; time < 3; time += 1) {
      const blob = aRandomBlob()
      const post = `${repository}/blobs/uploads/?digest=${blob.digest}`
      expect((await ask(post, { method: 'POST', body: 'other' })).status).toBe(400)
      expect((await ask(post, { method: 'POST', body: blob.bytes })).status).toBe(201)
      const wrong = await openSession(repository)
      expect((await closeSession(wrong, blob.digest, { body: 'other' })).status).toBe(400)
      const right = await openSession(repository)
      expect((await closeSession(right, blob.digest, { body: blob.bytes })).status).toBe(201)
    }
  })

  test('end-4b: an interrupted POST leaves no session behind', async () => {
    await using registry = await startInProcess({ uploads: { maxSessions: 1 } })
    const repository = registry.repository()
    const post = openRequest(`${repository}/blobs/uploads/?digest=${aRandomBlob().digest}`, {
      method: 'POST',
      headers: { 'content-length': 1000 },
    })
    await post.write(Buffer.alloc(500))
    post.cut()
    let answer = await ask(`${repository}/blobs/uploads/`, { method: 'POST' })
    while (answer.status === 429) answer = await ask(`${repository}/blobs/uploads/`, { method: 'POST' })
    expectStatus(answer, 202)
  })
})

describe('an abandoned session', () => {
  const registry = shareRegistry({ uploads: { expireAfterMs: 60_000 } })

  test('end-13, end-5, end-6: is unknown after the configured time, counted from its last byte', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(2000)
    const [touched, abandoned] = [await openSession(repository), await openSession(repository)]
    registry.advance(59_000)
    expectStatus(await patchChunk(touched, blob.bytes.subarray(0, 1000), 0), 202)
    registry.advance(2000)
    const { app, clock } = registry
    const log = silentLog
    const lives = { withBytesMs: 60_000, emptyMs: 60_000 }
    await expireUploads({ ...app, clock, log }, lives, AbortSignal.timeout(10_000))
    const wanted = {
      status: 404,
      code: 'BLOB_UPLOAD_UNKNOWN',
      naming: [sessionId(abandoned), /expired/, /POST/],
    }
    expectError(await ask(abandoned), wanted)
    expectError(await patchChunk(abandoned, blob.bytes, 0), wanted)
    expectError(await closeSession(abandoned, blob.digest, { body: blob.bytes }), wanted)
    expectStatus(await patchChunk(touched, blob.bytes.subarray(1000), 1000), 202)
    expectStatus(await closeSession(touched, blob.digest), 201)
  })
})

describe('a refusal of a large body', () => {
  const registry = shareRegistry()

  async function askWithPart(
    method: string,
    url: string,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    await using request = openRequest(url, { method, headers: { 'content-length': gibibyte, ...headers } })
    await request.write(Buffer.alloc(256 * 1024))
    return await request.answer
  }

  test.each([
    ['end-5', 'PATCH', 'blobs/uploads/00000000-0000-0000-0000-000000000000', 404, 'BLOB_UPLOAD_UNKNOWN'],
    [
      'end-6',
      'PUT',
      `blobs/uploads/00000000-0000-0000-0000-000000000000?digest=sha256:${'a'.repeat(64)}`,
      404,
      'BLOB_UPLOAD_UNKNOWN',
    ],
    ['end-6', 'PUT', 'blobs/uploads/00000000-0000-0000-0000-000000000000', 400, 'DIGEST_INVALID'],
    ['end-4b', 'POST', 'blobs/uploads/?digest=sha256:abc', 400, 'DIGEST_INVALID'],
    ['end-7a', 'PUT', 'manifests/v1', 413, 'SIZE_INVALID'],
    ['end-7a', 'PUT', 'manifests/.v1', 400, 'TAG_INVALID'],
    ['end-8a', 'PUT', 'tags/list', 405, 'UNSUPPORTED'],
  ])('%s: %s %s arrives as a status, not as a reset', async (_id, method, path, status, code) => {
    const answer = await askWithPart(method, `${registry.repository()}/${path}`)
    expectError(answer, { status, code })
  })

  test('end-5: a chunk out of order is refused before its body', async () => {
    const session = await openSession(registry.repository())
    const answer = await askWithPart('PATCH', session, { 'content-range': `7-${gibibyte + 6}` })
    expectError(answer, { status: 416, code: 'RANGE_INVALID' })
    expect((await ask(session)).headers.range).toBe('0-0')
  })

  test('end-5: a client that sends all of a refused body reads the answer afterwards', async () => {
    const session = await openSession(registry.repository())
    const answer = await ask(`${session}x`, { method: 'PATCH', body: Buffer.alloc(8 * 1024 * 1024) })
    expectError(answer, { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' })
  })
})
