/** end-4a, end-4b, end-4c and end-6: an upload from POST to the blob, with whole bodies. */
import { request as httpRequest } from 'node:http'
import { describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aBlob, aRandomBlob, digestOf } from '../support/content/random.ts'
import type { TestBlob } from '../support/content/random.ts'
import {
  closeSession,
  iterate,
  openSession,
  patchStream,
  sessionId,
} from '../support/uploads/upload-session.ts'

const registry = shareRegistry()

const blobs = [
  ['a blob', aRandomBlob(3000)],
  ['a large blob', aRandomBlob(2_500_000)],
  ['an empty blob', aBlob('')],
  ['{}', aBlob('{}')],
  ['a sha512 blob', aRandomBlob(3000, 'sha512')],
  ['an empty sha512 blob', aBlob('', 'sha512')],
] as const

/** Expects 201 with the headers that Docker, containerd and the conformance suite each need, and the blob at `Location`. */
async function expectCreated(answer: Answer, repository: string, blob: TestBlob): Promise<void> {
  expectStatus(answer, 201)
  const location = `${new URL(repository).pathname}/blobs/${blob.digest}`
  expect(answer.headers.location).toBe(location)
  expect(answer.headers['docker-content-digest']).toBe(blob.digest)
  expect(answer.headers['content-length']).toBe('0')
  const got = await ask(`${registry.url}${location}`)
  expectStatus(got, 200)
  expect(got.body.equals(blob.bytes)).toBe(true)
}

describe('starting an upload', () => {
  test('end-4a: answers 202 with a unique Location below the repository', async () => {
    const repository = registry.repository()
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => ask(`${repository}/blobs/uploads/`, { method: 'POST' })),
    )
    for (const answer of answers) {
      expectStatus(answer, 202)
      const { location = '', range, 'docker-upload-uuid': id } = answer.headers
      expect(location).toBe(`${new URL(repository).pathname}/blobs/uploads/${String(id)}`)
      expect(id).toMatch(/^[\w-]+$/)
      expect(range).toBe('0-0')
      expect(answer.headers['content-length']).toBe('0')
      expect(answer.headers['oci-chunk-min-length']).toBeUndefined()
    }
    expect(new Set(answers.map(({ headers }) => headers.location)).size).toBe(3)
  })

  test('end-4a: ignores a Content-Type and does not create the repository', async () => {
    const repository = registry.repository()
    const headers = { 'content-type': 'application/json', 'content-length': '0' }
    expectStatus(await ask(`${repository}/blobs/uploads/`, { method: 'POST', headers }), 202)
    expectError(await ask(`${repository}/tags/list`), { status: 404, code: 'NAME_UNKNOWN' })
  })
})

describe('an upload in one POST', () => {
  test.each(blobs)('end-4b: accepts %s', async (_what, blob) => {
    const repository = registry.repository()
    const url = `${repository}/blobs/uploads/?digest=${blob.digest}`
    await expectCreated(await ask(url, { method: 'POST', body: blob.bytes }), repository, blob)
    await expectCreated(await ask(url, { method: 'POST', body: blob.bytes }), repository, blob)
  })

  test('end-4b: accepts a body without a length, and any Content-Type', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(5000)
    const answer = await ask(`${repository}/blobs/uploads/?digest=${blob.digest.replace(':', '%3A')}`, {
      method: 'POST',
      body: iterate([blob.bytes.subarray(0, 4000), blob.bytes.subarray(4000)]),
      headers: { 'content-type': 'text/plain' },
    })
    await expectCreated(answer, repository, blob)
  })

  test('end-4b: refuses other content, naming both digests, and stores nothing', async () => {
    const repository = registry.repository()
    const [announced, sent] = [aRandomBlob(), aRandomBlob()]
    const url = `${repository}/blobs/uploads/?digest=${announced.digest}`
    const answer = await ask(url, { method: 'POST', body: sent.bytes })
    expectError(answer, {
      status: 400,
      code: 'DIGEST_INVALID',
      naming: [announced.digest, sent.digest, /again/],
    })
    for (const { digest } of [announced, sent]) {
      expect((await ask(`${repository}/blobs/${digest}`)).status).toBe(404)
    }
  })

  test('end-4b: needs the content even if another repository has the digest', async () => {
    const blob = aRandomBlob()
    await pushBlob(registry.repository(), blob)
    const repository = registry.repository()
    for (const body of ['', 'guess']) {
      const answer = await ask(`${repository}/blobs/uploads/?digest=${blob.digest}`, { method: 'POST', body })
      expectError(answer, { status: 400, code: 'DIGEST_INVALID' })
    }
    expect((await ask(`${repository}/blobs/${blob.digest}`)).status).toBe(404)
  })

  test.each([
    ['sha256:baddigeststring', /digest "sha256:baddigeststring"/],
    ['latest', /digest "latest"/],
    ['', /digest/],
    ['md5:d41d8cd98f00b204e9800998ecf8427e', /sha256.*sha512/],
    [`blake3:${'a'.repeat(64)}`, /sha256.*sha512/],
  ])('end-4b: refuses ?digest=%s', async (digest, advice) => {
    const url = `${registry.repository()}/blobs/uploads/?digest=${digest}`
    const answer = await ask(url, { method: 'POST', body: 'x' })
    expectError(answer, { status: 400, code: 'DIGEST_INVALID', naming: [advice] })
  })
})

describe('an upload with an announced algorithm', () => {
  test.each(['sha256', 'sha512'] as const)('end-4c: accepts digest-algorithm=%s', async (algorithm) => {
    const repository = registry.repository()
    const blob = aRandomBlob(3000, algorithm)
    const session = await openSession(repository, `?digest-algorithm=${algorithm}`)
    expectStatus(await patchStream(session, [blob.bytes]), 202)
    await expectCreated(await closeSession(session, blob.digest), repository, blob)
  })

  test('end-4c: does not bind the final digest', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(3000, 'sha256')
    const session = await openSession(repository, '?digest-algorithm=sha512')
    expectStatus(await patchStream(session, [blob.bytes]), 202)
    await expectCreated(await closeSession(session, blob.digest), repository, blob)
  })

  test.each(['md5', 'SHA512', '', 'blake3'])('end-4c: refuses digest-algorithm=%s', async (algorithm) => {
    const url = `${registry.repository()}/blobs/uploads/?digest-algorithm=${algorithm}`
    const answer = await ask(url, { method: 'POST' })
    expectError(answer, { status: 400, code: 'DIGEST_INVALID', naming: [/sha256.*sha512/] })
  })
})

describe('closing an upload', () => {
  test.each(blobs)('end-6: PUT with the whole body accepts %s', async (_what, blob) => {
    const repository = registry.repository()
    const session = await openSession(repository)
    await expectCreated(await closeSession(session, blob.digest, { body: blob.bytes }), repository, blob)
  })

  test('end-6: PUT accepts a body without a length', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(5000)
    const session = await openSession(repository)
    const body = iterate([blob.bytes.subarray(0, 100), blob.bytes.subarray(100)])
    await expectCreated(await closeSession(session, blob.digest, { body }), repository, blob)
  })

  test.each([
    ['sha256', aRandomBlob(100_000)],
    ['sha512 without an announcement', aRandomBlob(100_000, 'sha512')],
    ['an empty stream', aBlob('')],
  ])('end-6: PUT without a body closes a stream: %s', async (_what, blob) => {
    const repository = registry.repository()
    const session = await openSession(repository)
    expectStatus(await patchStream(session, blob.size === 0 ? [] : [blob.bytes]), 202)
    await expectCreated(await closeSession(session, blob.digest), repository, blob)
  })

  test('end-6: PUT with a body continues where a stream ended', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(10_000)
    const session = await openSession(repository)
    expectStatus(await patchStream(session, [blob.bytes.subarray(0, 4000)]), 202)
    const answer = await closeSession(session, blob.digest, { body: blob.bytes.subarray(4000) })
    await expectCreated(answer, repository, blob)
  })

  test.each([
    ['no digest', '', /\?digest=/],
    ['an empty digest', '?digest=', /digest/],
    ['a malformed digest', '?digest=sha256:abc', /"sha256:abc"/],
    ['an unknown algorithm', '?digest=md5:d41d8cd98f00b204e9800998ecf8427e', /sha256.*sha512/],
  ])('end-6: PUT with %s is refused and the session stays', async (_what, query, advice) => {
    const repository = registry.repository()
    const blob = aRandomBlob(5000)
    const session = await openSession(repository)
    expectStatus(await patchStream(session, [blob.bytes]), 202)
    const answer = await ask(`${session}${query}`, { method: 'PUT' })
    expectError(answer, { status: 400, code: 'DIGEST_INVALID', naming: [advice] })
    expect((await ask(session)).headers.range).toBe('0-4999')
    await expectCreated(await closeSession(session, blob.digest), repository, blob)
  })

  test.each(['sha256', 'sha512'] as const)(
    'end-6: content that does not match the %s digest ends the session',
    async (kind) => {
      const repository = registry.repository()
      const [announced, sent] = [aRandomBlob(500, kind), aRandomBlob(500)]
      for (const [patched, body] of [
        [sent.bytes, undefined],
        [sent.bytes.subarray(0, 100), sent.bytes.subarray(100)],
      ] as const) {
        const session = await openSession(repository)
        expectStatus(await patchStream(session, [patched]), 202)
        const answer = await closeSession(session, announced.digest, body === undefined ? {} : { body })
        const actual = digestOf(sent.bytes, kind)
        expectError(answer, {
          status: 400,
          code: 'DIGEST_INVALID',
          naming: [announced.digest, actual, '500', /again/],
        })
        expectError(await ask(session), { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' })
        expect((await ask(`${repository}/blobs/${announced.digest}`)).status).toBe(404)
        expect((await ask(`${repository}/blobs/${digestOf(sent.bytes)}`)).status).toBe(404)
      }
    },
  )

  test('end-6: a completed session is unknown', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob()
    const session = await openSession(repository)
    await expectCreated(await closeSession(session, blob.digest, { body: blob.bytes }), repository, blob)
    const wanted = { status: 404, code: 'BLOB_UPLOAD_UNKNOWN', naming: [sessionId(session), /POST/] }
    expectError(await ask(session), wanted)
    expectError(await ask(session, { method: 'PATCH', body: 'x' }), wanted)
    expectError(await ask(session, { method: 'DELETE' }), wanted)
  })

  test('end-6: a closing PUT whose response was lost gets 201 again while the repository has the blob', async () => {
    const [repository, other] = [registry.repository(), registry.repository()]
    const [blob, elsewhere] = [aRandomBlob(), aRandomBlob()]
    await pushBlob(other, elsewhere)
    const session = await openSession(repository)
    await expectCreated(await closeSession(session, blob.digest, { body: blob.bytes }), repository, blob)
    for (const body of [blob.bytes, undefined]) {
      const again = await closeSession(session, blob.digest, body === undefined ? {} : { body })
      await expectCreated(again, repository, blob)
    }
    const wanted = { status: 404, code: 'BLOB_UPLOAD_UNKNOWN' }
    for (const { digest } of [elsewhere, aRandomBlob()])
      expectError(await closeSession(session, digest), wanted)
    expectStatus(await ask(`${repository}/blobs/${blob.digest}`, { method: 'DELETE' }), 202)
    expectError(await closeSession(session, blob.digest), wanted)
  })

  test('end-6: twenty simultaneous uploads of one blob all succeed', async () => {
    const repository = registry.repository()
    const blob = aRandomBlob(100_000)
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const session = await openSession(repository)
        return await closeSession(session, blob.digest, { body: blob.bytes })
      }),
    )
    for (const answer of answers) await expectCreated(answer, repository, blob)
  })
})

/** Sends the head with `Expect: 100-continue`, and the body only after 100; `continued` is whether 100 arrived. */
function askExpecting(
  method: string,
  url: string,
  body: Buffer,
): Promise<{ status: number; continued: boolean }> {
  return new Promise((resolve, reject) => {
    const headers = { expect: '100-continue', 'content-length': body.length }
    const request = httpRequest(url, { method, agent: false, headers })
    let continued = false
    request.on('continue', () => {
      continued = true
      request.end(body)
    })
    request.on('response', (response) => {
      response.resume()
      resolve({ status: response.statusCode ?? 0, continued })
      if (!continued) request.destroy()
    })
    request.on('error', reject)
    request.flushHeaders()
  })
}

describe('Expect: 100-continue', () => {
  test('end-6, end-5, end-4b: gets 100 when the body is needed', async () => {
    const repository = registry.repository()
    const [one, two] = [aRandomBlob(), aRandomBlob()]
    const put = `${await openSession(repository)}?digest=${one.digest}`
    expect(await askExpecting('PUT', put, one.bytes)).toEqual({ status: 201, continued: true })
    const patch = await openSession(repository)
    expect(await askExpecting('PATCH', patch, two.bytes)).toEqual({ status: 202, continued: true })
    const post = `${repository}/blobs/uploads/?digest=${two.digest}`
    expect(await askExpecting('POST', post, two.bytes)).toEqual({ status: 201, continued: true })
  })

  test('end-6, end-5, end-4b: gets a refusal without 100', async () => {
    const repository = registry.repository()
    const body = Buffer.alloc(1000)
    const session = await openSession(repository)
    expect(await askExpecting('PUT', session, body)).toEqual({ status: 400, continued: false })
    expect(await askExpecting('PATCH', `${session}x`, body)).toEqual({ status: 404, continued: false })
    const post = `${repository}/blobs/uploads/?digest=none`
    expect(await askExpecting('POST', post, body)).toEqual({ status: 400, continued: false })
  })
})
