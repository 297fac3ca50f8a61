/** end-5, end-13 and end-14: chunks, streams, the state of a session, and its end without a blob. */
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask, exchangeRaw } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { aRandomBlob } from '../support/content/random.ts'
import {
  closeSession,
  iterate,
  openSession,
  patchChunk,
  patchStream,
  sessionId,
} from '../support/uploads/upload-session.ts'

/** Expects the 202 or 204 of a session that holds `size` bytes: Docker computes layer sizes from `Range`. */
function expectSession(answer: Answer, session: string, size: number): void {
  expect([202, 204]).toContain(answer.status)
  expect(answer.headers.range).toBe(`0-${Math.max(0, size - 1)}`)
  expect(answer.headers.location).toBe(new URL(session).pathname)
  expect(answer.headers['docker-upload-uuid']).toBe(sessionId(session))
}

function expectOutOfOrder(answer: Answer, session: string, size: number): void {
  expectError(answer, { status: 416, code: 'RANGE_INVALID', naming: [`${size} bytes`, `start at ${size}`] })
  expect(answer.headers.range).toBe(`0-${Math.max(0, size - 1)}`)
  expect(answer.headers.location).toBe(new URL(session).pathname)
  expect(answer.headers['docker-upload-uuid']).toBe(sessionId(session))
}

describe.each(['filesystem', 'memory'] as const)('chunks in the %s store', (driver) => {
  const registry = shareRegistry({ storage: { driver } })

  test.each([
    ['sha256', [1000, 1000, 1000]],
    ['sha512', [1000, 1000, 1000]],
    ['sha256', [1, 1, 1, 1]],
    ['sha256', [400_000, 7, 300_000]],
    ['sha512', [400_000, 7, 300_000]],
  ] as const)('end-5: a %s blob in chunks of %j bytes', async (algorithm, sizes) => {
    const repository = registry.repository()
    const blob = aRandomBlob(
      sizes.reduce((sum, size) => sum + size, 0),
      algorithm,
    )
    const session = await openSession(repository)
    let offset = 0
    for (const size of sizes) {
      const answer = await patchChunk(session, blob.bytes.subarray(offset, offset + size), offset)
      offset += size
      expectStatus(answer, 202)
      expectSession(answer, session, offset)
      expectSession(await ask(session), session, offset)
    }
    expectStatus(await closeSession(session, blob.digest), 201)
    expect((await ask(`${repository}/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
  })

  test('end-5, end-6: the last chunk may come with the PUT', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(3000)
    const session = await openSession(repository)
    expectStatus(await patchChunk(session, blob.bytes.subarray(0, 1000), 0), 202)
    expectStatus(await patchChunk(session, blob.bytes.subarray(1000, 2000), 1000), 202)
    const headers = { 'content-range': '2000-2999' }
    const answer = await closeSession(session, blob.digest, { body: blob.bytes.subarray(2000), headers })
    expectStatus(answer, 201)
    expect((await ask(`${repository}/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
  })

  test('end-5: streams without range and length are appended, one after the other', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(200_000)
    const session = await openSession(repository)
    const first = await patchStream(session, [blob.bytes.subarray(0, 1), blob.bytes.subarray(1, 70_000)])
    expectSession(first, session, 70_000)
    const second = await patchStream(session, [blob.bytes.subarray(70_000)])
    expectStatus(second, 202)
    expectSession(second, session, 200_000)
    expectStatus(await closeSession(session, blob.digest), 201)
    expect((await ask(`${repository}/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
  })

  test('end-5: a stream, a chunk and a stream make one blob', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(9000, 'sha512')
    const session = await openSession(repository)
    expectStatus(await patchStream(session, [blob.bytes.subarray(0, 3000)]), 202)
    expectStatus(await patchChunk(session, blob.bytes.subarray(3000, 6000), 3000), 202)
    expectStatus(await patchStream(session, [blob.bytes.subarray(6000)]), 202)
    expectStatus(await closeSession(session, blob.digest), 201)
    expect((await ask(`${repository}/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true)
  })

  test('end-5: an empty stream leaves the session empty: Range is 0-0', async () => {
    const session = await openSession(registry.repository())
    const answer = await patchStream(session, [])
    expectStatus(answer, 202)
    expectSession(answer, session, 0)
  })

  test('end-5: an empty body with a length of zero is accepted, too', async () => {
    const session = await openSession(registry.repository())
    const answer = await ask(session, { method: 'PATCH', body: '' })
    expectSession(answer, session, 0)
  })
})

describe('chunks out of order', () => {
  const registry = shareRegistry()
  const blob = aRandomBlob(3072)
  const [first, second, third] = [0, 1024, 2048].map((start) => blob.bytes.subarray(start, start + 1024)) as [
    Buffer,
    Buffer,
    Buffer,
  ]

  test('end-5: the first one must start at 0', async () => {
    const session = await openSession(registry.repository())
    expectOutOfOrder(await patchChunk(session, second, 1024), session, 0)
    expectSession(await patchChunk(session, first, 0), session, 1024)
  })

  test('end-5: after 0-0 of an empty session the chunk starts at 0, after that of one byte at 1', async () => {
    const session = await openSession(registry.repository())
    expectSession(await patchChunk(session, first.subarray(0, 1), 0), session, 1)
    expectOutOfOrder(await patchChunk(session, first, 0), session, 1)
    expectSession(await patchChunk(session, first.subarray(1), 1), session, 1024)
  })

  test('end-5: a gap is refused and the session continues at its offset', async () => {
    const repository = registry.repository()
    const session = await openSession(repository)
    expectStatus(await patchChunk(session, first, 0), 202)
    expectOutOfOrder(await patchChunk(session, third, 2048), session, 1024)
    expectSession(await ask(session), session, 1024)
    expectSession(await patchChunk(session, second, 1024), session, 2048)
    expectSession(await patchChunk(session, third, 2048), session, 3072)
    expectStatus(await closeSession(session, blob.digest), 201)
  })

  test('end-5: a chunk that was sent before is refused, not accepted as a repetition', async () => {
    const session = await openSession(registry.repository())
    expectStatus(await patchChunk(session, first, 0), 202)
    expectStatus(await patchChunk(session, second, 1024), 202)
    expectOutOfOrder(await patchChunk(session, first, 0), session, 2048)
    expectOutOfOrder(await patchChunk(session, second, 1024), session, 2048)
    expectSession(await ask(session), session, 2048)
  })

  test('end-5: the Location of the POST stays valid after chunks: 416 there, and 204 with the exact range', async () => {
    const session = await openSession(registry.repository())
    const answer = await patchChunk(session, first, 0)
    expect(answer.headers.location).toBe(new URL(session).pathname)
    expectOutOfOrder(await patchChunk(session, first, 0), session, 1024)
    const status = await ask(session)
    expect(status.status).toBe(204)
    expectSession(status, session, 1024)
  })

  test('end-6: a closing PUT out of order answers 416 and keeps the session', async () => {
    const repository = registry.repository()
    const session = await openSession(repository)
    expectStatus(await patchChunk(session, first, 0), 202)
    const headers = { 'content-range': '2048-3071' }
    const answer = await closeSession(session, blob.digest, { body: third, headers })
    expectOutOfOrder(answer, session, 1024)
    const status = await ask(`${session}?digest=${blob.digest}`)
    expect(status.status).toBe(204)
    expectSession(status, session, 1024)
    expectStatus(await patchChunk(session, second, 1024), 202)
    expectStatus(await closeSession(session, blob.digest, { body: third, headers }), 201)
  })

  test('end-6: a PUT out of order on a new session keeps it, at 0-0', async () => {
    const session = await openSession(registry.repository())
    const headers = { 'content-range': '1024-2047' }
    expectOutOfOrder(await closeSession(session, blob.digest, { body: second, headers }), session, 0)
    expectSession(await ask(session), session, 0)
  })
})

describe('an impossible Content-Range', () => {
  const registry = shareRegistry()

  test.each(['bytes 0-9/10', 'bytes=0-9', '9-0', '0-', '-9', 'abc', '0-9/10', '0x0-0x9', '+0-9', ''])(
    'end-5, end-6: %s is refused with an example, and the session stays',
    async (range) => {
      const session = await openSession(registry.repository())
      const headers = { 'content-range': range }
      const naming = [`"${range}"`, '0-1023']
      const wanted = { status: 400, code: 'BLOB_UPLOAD_INVALID', naming }
      expectError(await ask(session, { method: 'PATCH', body: '0123456789', headers }), wanted)
      const { digest } = aRandomBlob()
      expectError(await closeSession(session, digest, { body: '0123456789', headers }), wanted)
      expectSession(await ask(session), session, 0)
    },
  )

  test.each(['PATCH', 'PUT'])(
    'end-5, end-6: %s whose range and Content-Length differ is refused',
    async (method) => {
      const session = await openSession(registry.repository())
      const url = method === 'PUT' ? `${session}?digest=${aRandomBlob().digest}` : session
      const answer = await ask(url, { method, body: '0123456789', headers: { 'content-range': '0-10' } })
      expectError(answer, { status: 400, code: 'SIZE_INVALID', naming: ['11', '10'] })
      expectSession(await ask(session), session, 0)
    },
  )

  test.each(['PATCH', 'PUT'])('end-5, end-6: %s with a range and no body is refused', async (method) => {
    const session = await openSession(registry.repository())
    const path = `${new URL(session).pathname}?digest=${aRandomBlob().digest}`
    for (const length of ['', 'Content-Length: 0\r\n']) {
      const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`
      const received = await exchangeRaw(registry.url, `${head}${length}Content-Range: 0-9\r\n\r\n`)
      expect(received).toMatch(/^HTTP\/1\.1 400 /)
      expect(received).toContain('"code":"SIZE_INVALID"')
    }
    expectSession(await ask(session), session, 0)
  })

  test.each([
    ['shorter', 500],
    ['longer', 1500],
  ])('end-5: a stream %s than its range is refused and none of it is stored', async (_what, size) => {
    const repository = registry.repository()
    const blob = aRandomBlob(2000)
    const session = await openSession(repository)
    expectStatus(await patchChunk(session, blob.bytes.subarray(0, 1000), 0), 202)
    const answer = await ask(session, {
      method: 'PATCH',
      body: iterate([Buffer.alloc(size)]),
      headers: { 'content-range': '1000-1999' },
    })
    expectError(answer, { status: 400, code: 'SIZE_INVALID', naming: ['1000', String(size)] })
    expectSession(await ask(session), session, 1000)
    expectStatus(await patchChunk(session, blob.bytes.subarray(1000), 1000), 202)
    expectStatus(await closeSession(session, blob.digest), 201)
  })
})

describe('the state of a session', () => {
  const registry = shareRegistry()

  test('end-13: GET answers 204 without a body', async () => {
    const session = await openSession(registry.repository())
    const answer = await ask(session)
    expect(answer.status).toBe(204)
    expectSession(answer, session, 0)
    expect(answer.body).toHaveLength(0)
  })

  test('end-5, end-6, end-13, end-14: an unknown session gets 404 with its id and advice', async () => {
    const repository = registry.repository()
    const { digest } = aRandomBlob()
    for (const id of [
      '11111111-2222-3333-4444-555555555555',
      'x',
      '..%2f..',
      '%00',
      'ä'.repeat(3),
      'x'.repeat(500),
    ]) {
      const session = `${repository}/blobs/uploads/${encodeURI(decodeURI(id))}`
      const wanted = { status: 404, code: 'BLOB_UPLOAD_UNKNOWN', naming: [/POST/] }
      expectError(await ask(session), wanted)
      expectError(await ask(session, { method: 'PATCH', body: 'x' }), wanted)
      expectError(await closeSession(session, digest), wanted)
      expectError(await ask(session, { method: 'DELETE' }), wanted)
    }
  })

  test('end-14: DELETE answers 204 and ends the session', async () => {
    const session = await openSession(registry.repository())
    expectStatus(await patchStream(session, [Buffer.alloc(1000)]), 202)
    const answer = await ask(session, { method: 'DELETE' })
    expect(answer.status).toBe(204)
    expect(answer.headers['docker-upload-uuid']).toBe(sessionId(session))
    const wanted = { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' }
    expectError(await ask(session), wanted)
    expectError(await ask(session, { method: 'PATCH', body: 'x' }), wanted)
    expectError(await closeSession(session, aRandomBlob().digest), wanted)
    expectError(await ask(session, { method: 'DELETE' }), wanted)
  })
})
