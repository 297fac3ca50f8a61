/** Bytes that no HTTP client sends: each gets an answer below 500, and no connection hangs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exchangeRaw } from '../support/http/client.ts'
import { openServer } from '../support/parts/open-server.ts'
import type { OpenServer } from '../support/parts/open-server.ts'
import { RawConnection, statusesIn } from '../support/http/raw-connection.ts'

let server: OpenServer

beforeAll(async () => {
  server = await openServer({ limits: { headersMs: 500, bodyIdleMs: 500, refusedBodyMs: 500 } })
})

afterAll(async () => {
  const faults = server.logged.filter(({ level }) => level === 'warn' || level === 'error')
  await server[Symbol.asyncDispose]()
  if (faults.length > 0) throw new Error(`the server met faults: ${JSON.stringify(faults)}`)
})

const host = 'Host: registry.test'
const close = 'Connection: close'

function request(line: string, headers: readonly string[] = [host, close], body = ''): string {
  return `${[line, ...headers].join('\r\n')}\r\n\r\n${body}`
}

async function firstStatus(bytes: Uint8Array | string): Promise<number | undefined> {
  return statusesIn(await exchangeRaw(server.url, bytes))[0]
}

describe('B7: variants of a path', () => {
  test.each([
    ['/v2/a%2fb/manifests/x', 404],
    ['/v2/a%252fb/manifests/x', 400],
    ['/v2/a%2F%2Fb/manifests/x', 400],
    ['/v2/a%2f..%2fb/manifests/x', 400],
    ['/v2/%2fa%2fb/manifests/x', 400],
    ['/v2/a%2fb%/manifests/x', 400],
    ['/v2/a/b%2fmanifests/x', 404],
    ['/v2/a/b/manifests/..', 404],
    ['/v2/a/b/manifests/%2e%2e', 404],
    ['/v2/a/b/manifests/x%2fy', 404],
    ['/v2/a/b/manifests/x%00', 404],
    ['/v2/a/b/manifests/%ff%fe', 404],
    ['/v2/a/b/manifests/%', 404],
    ['/v2/a/../b/manifests/x', 400],
    ['/v2/../v2/a/b/manifests/x', 400],
    ['/v2/a/b/../../etc/passwd', 404],
    ['/v2//a/b/manifests/x', 400],
    ['/v2/a//b/manifests/x', 400],
    ['//v2/a/b/manifests/x', 404],
    ['/v2/A/b/manifests/x', 400],
    ['/V2/a/b/manifests/x', 404],
    ['/v2/a/b/Manifests/x', 404],
    ['/v2/a/b/manifests/x/', 404],
    ['/v2/a/b/manifests/x;y', 404],
    ['/v2/a/b;c/manifests/x', 400],
    ['/v2/a/b%00/manifests/x', 400],
    [String.raw`/v2/a\b/manifests/x`, 400],
    [String.raw`/v2/a/b/manifests\x`, 404],
    ['/v2/a/b/blobs/sha256%3ax', 400],
    ['/v2/a/b/blobs/uploads/%00', 404],
    ['/v2/a/b/blobs/uploads/..%2f..%2fx', 404],
    ['/v2/a/b/tags/list#x', 404],
    ['/v2/_catalog?n=1&last=%00%ff', 200],
    ['/v2/a/b/tags/list?last=%00', 404],
    [`/v2/a/b/referrers/sha256:${'a'.repeat(64)}?artifactType=%00`, 200],
    [`/v2/${'a/'.repeat(4000)}b/manifests/x`, 400],
    [`/v2/a/b/manifests/${'x'.repeat(8000)}`, 404],
    [`/v2/a/b/manifests/${'x'.repeat(20_000)}`, 414],
    [`/v2/a/b/tags/list?last=${'x'.repeat(20_000)}`, 414],
    ['', 404],
  ])('GET %s is %i', async (path, status) => {
    expect(await firstStatus(request(`GET ${path === '' ? '*' : path} HTTP/1.1`))).toBe(status)
  })
})

describe('request lines', () => {
  test.each([
    ['absolute form', 'GET http://registry.test/v2/ HTTP/1.1', 200],
    ['absolute form without a path', 'GET http://registry.test HTTP/1.1', 404],
    ['absolute form of something else', 'GET ftp://registry.test/v2/ HTTP/1.1', 404],
    ['HTTP/1.0', 'GET /v2/ HTTP/1.0', 200],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1', 404],
    ['OPTIONS of a path', 'OPTIONS /v2/ HTTP/1.1', 405],
    ['TRACE', 'TRACE /v2/ HTTP/1.1', 405],
    ['a lower-case method', 'get /v2/ HTTP/1.1', 400],
    ['an unknown method', 'BREW /v2/ HTTP/1.1', 400],
    ['no version', 'GET /v2/', 200],
    ['HTTP/2.0', 'GET /v2/ HTTP/2.0', 400],
    ['an unknown version', 'GET /v2/ HTTP/3.0', 400],
    ['a space in the target', 'GET /v2/a b/ HTTP/1.1', 400],
    ['a NUL in the target', 'GET /v2/\0 HTTP/1.1', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0', 400],
    ['nothing but garbage', '\x00\x01\x02\x03', 400],
  ])('%s', async (_name, line, status) => {
    expect(await firstStatus(request(line))).toBe(status)
  })

  test('CONNECT closes the connection', async () => {
    using connection = await RawConnection.open(server.url)
    connection.write(request('CONNECT registry.test:443 HTTP/1.1'))
    expect(statusesIn(await connection.untilClosed())).not.toContain(200)
  })
})

describe('headers', () => {
  const put = 'PUT /v2/a/b/manifests/x HTTP/1.1'
  const get = 'GET /v2/ HTTP/1.1'

  test.each([
    ['no Host', request(get, [close]), 400],
    ['two Hosts', request(get, [host, 'Host: other.test', close]), 400],
    ['an empty Host', request(get, ['Host:', close]), 400],
    ['a Host with a space', request(get, ['Host: registry.test evil.test', close]), 400],
    ['a Host with user information', request(get, ['Host: user@registry.test', close]), 400],
    ['a Host with a path', request(get, ['Host: registry.test/v2/token?', close]), 400],
    ['a Host with a quote', request(get, ['Host: registry.test",realm="x', close]), 400],
    ['a Host that is too long', request(get, [`Host: ${'x'.repeat(300)}`, close]), 400],
    ['an address as Host', request(get, ['Host: [::1]:5000', close]), 200],
    ['two different lengths', request(put, [host, 'Content-Length: 2', 'Content-Length: 3'], '{}x'), 400],
    ['a list of lengths', request(put, [host, 'Content-Length: 2, 3'], '{}x'), 400],
    ['a negative length', request(put, [host, 'Content-Length: -1']), 400],
    ['a length that is not a number', request(put, [host, 'Content-Length: 0x2'], '{}'), 400],
    ['an endless length', request(put, [host, `Content-Length: ${'9'.repeat(40)}`]), 400],
    [
      'length and chunks',
      request(put, [host, 'Content-Length: 2', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
      400,
    ],
    ['an unknown transfer coding', request(put, [host, 'Transfer-Encoding: gzip'], 'x'), 400],
    ['chunked twice', request(put, [host, 'Transfer-Encoding: chunked, chunked', close], '0\r\n\r\n'), 400],
    ['a space before the colon', request(get, [host, 'X : y']), 400],
    ['a folded line', request(get, [host, 'X: y', ' z']), 400],
    ['a NUL in a value', request(get, [host, 'X: a\0b']), 400],
    ['a lone carriage return', `GET /v2/ HTTP/1.1\r\n${host}\r\nX: a\rY: b\r\n\r\n`, 400],
    ['one huge header', request(get, [host, `X: ${'x'.repeat(100_000)}`]), 431],
    ['many headers', request(get, [host, ...Array.from({ length: 5000 }, (_, i) => `X-${i}: ${i}`)]), 431],
    ['a huge target', request(`GET /v2/${'a'.repeat(100_000)} HTTP/1.1`), 431],
    ['an unknown expectation', request(put, [host, 'Expect: magic', 'Content-Length: 2', close], '{}'), 417],
    [
      'an upgrade to HTTP/2',
      request(get, [host, 'Connection: Upgrade, HTTP2-Settings, close', 'Upgrade: h2c']),
      200,
    ],
    ['odd ranges', request(get, [host, 'Range: bytes=,,,-', 'If-None-Match: ",,W/', close]), 200],
  ])('%s', async (_name, bytes, status) => {
    expect(await firstStatus(bytes)).toBe(status)
  })

  test('of 32 KiB, for many tags and media types, are accepted', async () => {
    const accepts = Array.from(
      { length: 200 },
      (_, i) => `Accept: application/vnd.example.type-${i}.${'x'.repeat(90)}+json`,
    )
    expect(await firstStatus(request(get, [host, close, ...accepts]))).toBe(200)
  })
})

describe('chunked bodies', () => {
  const put = ['PUT /v2/a/b/manifests/x HTTP/1.1', host, 'Transfer-Encoding: chunked'].join('\r\n')

  test.each([
    ['a size that is not a number', 'zz\r\n{}\r\n0\r\n\r\n'],
    ['a negative size', '-2\r\n{}\r\n0\r\n\r\n'],
    ['an endless size', `${'f'.repeat(40)}\r\n{}\r\n0\r\n\r\n`],
    ['more data than announced', '2\r\n{}{}\r\n0\r\n\r\n'],
    ['endless chunk extensions', `2;${'x'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`],
  ])('with %s', async (_name, body) => {
    const status = await firstStatus(`${put}\r\n\r\n${body}`)
    expect([400, 413]).toContain(status)
  })

  test('that never end are answered with 408', async () => {
    expect(await firstStatus(`${put}\r\n\r\n2\r\n{}\r\n`)).toBe(408)
  })

  test('with trailers are read to the end', async () => {
    const head = put.replace('\r\n', `\r\n${close}\r\n`)
    expect(await firstStatus(`${head}\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: y\r\n\r\n`)).toBe(400)
  })
})

describe('other protocols', () => {
  test('a TLS hello gets a plain response, so that the client tries without TLS', async () => {
    const hello = Buffer.from('160301020001' + '0001fc0303'.padEnd(100, 'a'), 'hex')
    const received = await exchangeRaw(server.url, hello)
    expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(received).toContain('Connection: close')
    expect(server.logged.at(-1)).toMatchObject({ level: 'debug', fields: { tls: true } })
  })

  test('silence ends with the time-out for headers', async () => {
    using connection = await RawConnection.open(server.url)
    expect([[], [408]]).toContainEqual(statusesIn(await connection.untilClosed()))
  })

  test.each([
    ['an invalid request', 'nonsense\r\n\r\n'],
    ['an unknown method', request('BREW /v2/ HTTP/1.1')],
    ['another version', request('GET /v2/ HTTP/2.0')],
    ['a missing Host', request('GET /v2/ HTTP/1.1', [close])],
  ])('the refusal of %s has the envelope and a request id', async (_name, bytes) => {
    const received = await exchangeRaw(server.url, bytes)
    const [head = '', body = ''] = received.split('\r\n\r\n')
    expect(head).toMatch(/^X-Request-Id: \S+$/m)
    expect(JSON.parse(body)).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] })
  })
})

describe('pipelining', () => {
  test('answers in order, even after a refused body', async () => {
    using connection = await RawConnection.open(server.url)
    const refused = request('PUT /v2/A/b/manifests/x HTTP/1.1', [host, 'Content-Length: 2'], '{}')
    const ping = request('GET /v2/ HTTP/1.1', [host])
    connection.write(`${ping}${refused}${ping}${request('GET /nowhere HTTP/1.1')}`)
    expect(statusesIn(await connection.untilClosed())).toEqual([200, 400, 200, 404])
  })

  test('ends at an invalid request', async () => {
    using connection = await RawConnection.open(server.url)
    connection.write(`${request('GET /v2/ HTTP/1.1', [host])}nonsense\r\n\r\n`)
    const statuses = statusesIn(await connection.untilClosed())
    expect(statuses.at(-1)).toBe(400)
  })
})
