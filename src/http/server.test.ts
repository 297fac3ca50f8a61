/** Tests the wrapper around every handler: the order of checks, rights, faults and log lines. */
import { describe, expect, test } from 'vitest'
import { expectError } from '../../test/support/http/answers.ts'
import { ask } from '../../test/support/http/client.ts'
import { openAuthenticator, openPolicy } from '../../test/support/parts/open-identity.ts'
import { openServer } from '../../test/support/parts/open-server.ts'
import { aRandomBlob } from '../../test/support/content/random.ts'
import { RawConnection, statusesIn } from '../../test/support/http/raw-connection.ts'
import { TurnCounter } from '../../test/support/turn-counter.ts'
import type { Decision, Policy } from '../access/policy.ts'
import { UnauthorizedError } from '../edge/errors.ts'

const blob = aRandomBlob()
const uploads = '/v2/a/b/blobs/uploads/'

/** Refuses one action, or everything in one repository. */
function refusing(what: string, decision: Decision): Policy {
  return {
    ...openPolicy,
    decide: (principal, action, repository) =>
      action === what || repository === what ? decision : openPolicy.decide(principal, action, repository),
  }
}

const denied: Decision = { allowed: false, refusal: 'rights', reason: 'a/b is not yours' }

describe('rights', () => {
  test.each([
    ['GET', '/v2/a/b/tags/list', 'pull'],
    ['HEAD', `/v2/a/b/blobs/${blob.digest}`, 'pull'],
    ['GET', `/v2/a/b/referrers/${blob.digest}`, 'pull'],
    ['POST', uploads, 'push'],
    ['PATCH', `${uploads}x`, 'push'],
    ['PUT', `${uploads}x`, 'push'],
    ['GET', `${uploads}x`, 'push'],
    ['DELETE', `${uploads}x`, 'push'],
    ['PUT', '/v2/a/b/manifests/latest', 'push'],
    ['DELETE', '/v2/a/b/manifests/latest', 'delete'],
    ['DELETE', `/v2/a/b/blobs/${blob.digest}`, 'delete'],
  ])('B4: %s %s needs %s', async (method, path, action) => {
    await using server = await openServer({ policy: refusing(action, denied) })
    expect((await ask(server.url + path, { method })).status).toBe(403)
  })

  test('refuse with the reason of the policy', async () => {
    await using server = await openServer({ policy: refusing('push', denied) })
    const answer = await ask(server.url + uploads, { method: 'POST' })
    expectError(answer, { status: 403, code: 'DENIED', naming: ['a/b is not yours'] })
  })

  test('are asked after the grammar of the name', async () => {
    await using server = await openServer({ policy: refusing('push', denied) })
    const answer = await ask(`${server.url}/v2/A/b/blobs/uploads/`, { method: 'POST' })
    expectError(answer, { status: 400, code: 'DENIED' })
  })

  test('are asked after who it is', async () => {
    await using server = await openServer({
      authenticator: {
        ...openAuthenticator,
        authenticate: () => {
          throw new UnauthorizedError('wrong password')
        },
      },
    })
    for (const path of ['/v2/', '/v2/_catalog', '/v2/_oci/ext/discover', '/v2/a/b/tags/list']) {
      expectError(await ask(server.url + path), { status: 401, code: 'UNAUTHORIZED' })
    }
    expect((await ask(`${server.url}/healthz`)).status).toBe(200)
  })

  test('B1: a mount from where the caller may not pull starts an upload, as if nothing were there', async () => {
    await using server = await openServer({ policy: refusing('secret/repo', denied) })
    const push = `${server.url}/v2/open/repo/blobs/uploads/?digest=${blob.digest}`
    expect((await ask(push, { method: 'POST', body: blob.bytes })).status).toBe(201)
    const mount = (from: string): Promise<{ status: number }> =>
      ask(`${server.url}${uploads}?mount=${blob.digest}&from=${from}`, { method: 'POST' })
    expect((await mount('secret/repo')).status).toBe(202)
    expect((await mount('open/repo')).status).toBe(201)
  })
})

describe('a fault', () => {
  const broken: Policy = {
    ...openPolicy,
    decide: () => {
      throw new TypeError('secret path /var/lib/lading')
    },
  }

  test('is answered with 500 and the request id, and logged with both', async () => {
    await using server = await openServer({ policy: broken })
    const answer = await ask(`${server.url}/v2/a/b/tags/list`)
    expectError(answer, { status: 500, code: 'UNKNOWN', naming: [String(answer.headers['x-request-id'])] })
    expect(answer.text()).not.toContain('secret')
    expect(server.logged.find(({ level }) => level === 'error')?.fields).toMatchObject({
      requestId: answer.headers['x-request-id'],
      path: '/v2/a/b/tags/list',
      err: expect.any(TypeError) as unknown,
    })
  })

  test.each([
    ['whole', Buffer.from('x')],
    ['large', Buffer.alloc(100_000)],
  ])(
    'in the head of a reply that is %s is answered with 500, and the connection goes on',
    async (_, body) => {
      const headers = ['X-Broken', 'two\r\nlines']
      await using server = await openServer({
        metrics: () => Promise.resolve({ status: 200, headers, length: body.length, body }),
      })
      using connection = await RawConnection.open(server.url)
      connection.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
      const received = await connection.until((text) => text.endsWith('{"status":"ok"}'))
      expect(statusesIn(received)).toEqual([500, 200])
      expect(received).toContain('HTTP/1.1 500 Internal Server Error\r\n')
      expect(received).not.toContain('two')
      expect(server.logged.filter(({ level }) => level === 'error')).toMatchObject([
        { message: 'a request failed with an internal error', fields: { path: '/metrics' } },
      ])
      expect(server.server.counts()).toMatchObject({ requestsInFlight: 0, replyBytesHeld: 0 })
    },
  )

  test('answers HEAD without a body', async () => {
    await using server = await openServer({ policy: broken })
    const answer = await ask(`${server.url}/v2/a/b/manifests/x`, { method: 'HEAD' })
    expect(answer.status).toBe(500)
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(0)
  })
})

describe('the log', () => {
  test('has one line per request, never a query', async () => {
    await using server = await openServer()
    await ask(`${server.url}/v2/_catalog?n=1`)
    await ask(`${server.url}${uploads}?secret=1`, { method: 'POST' })
    expect(server.logged).toMatchObject([
      { level: 'debug', fields: { method: 'GET', path: '/v2/_catalog', status: 200 } },
      { level: 'debug', fields: { method: 'POST', path: uploads, status: 202 } },
    ])
  })
})

describe('health', () => {
  test('is the process itself at /healthz, whatever stands behind it', async () => {
    await using server = await openServer({ health: () => Promise.reject(new Error('asked')) })
    expect((await ask(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' })
  })

  test.each([
    [true, 200, 'ok'],
    [false, 503, 'unavailable'],
  ])('of what stands behind it is at /readyz: ready %s is %i', async (ready, status, word) => {
    const checks = { metadata: 'ok', store: ready ? 'ok' : 'cannot be reached' }
    await using server = await openServer({ health: () => Promise.resolve({ ready, checks }) })
    const answer = await ask(`${server.url}/readyz`)
    expect(answer.status).toBe(status)
    expect(answer.json()).toEqual({ status: word, checks })
  })
})

describe('many connections', () => {
  test.each([
    ['URL', `GET /v2/_catalog?${'n&'.repeat(8_000)} HTTP/1.1`],
    ['token', `GET /v2/ HTTP/1.1\r\nAuthorization: Bearer ${'a.'.repeat(8_000)}`],
    ['list in a header', `GET /v2/ HTTP/1.1\r\nIf-None-Match: ${'W/,'.repeat(5_000)}`],
    ['cookie', `GET /v2/ HTTP/1.1\r\nCookie: ${'a=b;'.repeat(3_750)}`],
  ])('whose %s takes long to read are served a few in each turn of the event loop', async (_, lines) => {
    using counter = new TurnCounter()
    const turns: number[] = []
    const runRequest = (_begun: unknown, work: () => Promise<void>): Promise<void> => {
      turns.push(counter.turns)
      return work()
    }
    await using server = await openServer({ observer: { onRequest: () => undefined, runRequest } })
    using stack = new DisposableStack()
    const connections = await Array.fromAsync({ length: 40 }, async () =>
      stack.use(await RawConnection.open(server.url)),
    )
    const head = `${lines}\r\nHost: x\r\n\r\n`
    for (const connection of connections) connection.write(head)
    await Promise.all(
      connections.map((connection) => connection.until((text) => text.includes('HTTP/1.1 200'))),
    )
    const byTurn = Map.groupBy(turns, (turn) => turn)
    expect(Math.max(...byTurn.values().map((served) => served.length))).toBeLessThanOrEqual(5)
  })
})

describe('a path', () => {
  test.each(['/', '/v1/', '/v2/a', '/v2/a/b', '/favicon.ico'])(
    'that leads nowhere is 404: %s',
    async (path) => {
      await using server = await openServer()
      expectError(await ask(server.url + path), { status: 404, code: 'UNSUPPORTED', naming: [path] })
    },
  )

  test('with another method is 405 and lists what it takes', async () => {
    await using server = await openServer()
    const answer = await ask(`${server.url}/v2/a/b/tags/list`, { method: 'OPTIONS' })
    expectError(answer, { status: 405, code: 'UNSUPPORTED', naming: ['OPTIONS', 'GET, HEAD'] })
    expect(answer.headers.allow).toBe('GET, HEAD')
  })
})
