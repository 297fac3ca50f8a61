/** Tests of the connection: refused and broken bodies, time-outs, drain. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ask, openRequest } from '../../test/support/http/client.ts'
import { eventually } from '../../test/support/eventually.ts'
import { openServer } from '../../test/support/parts/open-server.ts'
import { aRandomBlob } from '../../test/support/content/random.ts'
import { RawConnection, statusesIn } from '../../test/support/http/raw-connection.ts'
import { closeSession, openSession } from '../../test/support/uploads/upload-session.ts'

const mebibyte = 1024 * 1024
const ping = 'GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n'

const expecting = ['Expect: 100-continue']

function tooLargePut(length: number, headers: readonly string[] = []): string {
  const head = ['PUT /v2/a/b/manifests/x HTTP/1.1', 'Host: x', `Content-Length: ${length}`, ...headers]
  return `${head.join('\r\n')}\r\n\r\n`
}

describe('a body that is refused early', () => {
  test('is dropped, and the connection serves the next request', async () => {
    await using server = await openServer({ limits: { manifestBytes: 1024 } })
    using connection = await RawConnection.open(server.url)
    connection.write(tooLargePut(mebibyte))
    await connection.until((received) => received.includes('"limit":1024'))
    connection.write(Buffer.alloc(mebibyte))
    connection.write(ping)
    expect(statusesIn(await connection.until((received) => received.endsWith('{}')))).toEqual([413, 200])
  })

  test('is dropped also for a client that wants the connection closed, as Docker does', async () => {
    await using server = await openServer({ limits: { manifestBytes: 1024 } })
    using connection = await RawConnection.open(server.url)
    connection.write(tooLargePut(mebibyte, ['Connection: close']))
    await connection.until((received) => received.includes('"limit":1024'))
    expect(connection.closed).toBe(false)
    connection.write(Buffer.alloc(mebibyte))
    expect(statusesIn(await connection.untilClosed())).toEqual([413])
  })

  test('ends the connection when it goes on beyond the bound', async () => {
    await using server = await openServer({ limits: { manifestBytes: 1024, refusedBodyBytes: 64 * 1024 } })
    using connection = await RawConnection.open(server.url)
    connection.write(tooLargePut(1024 * mebibyte))
    await connection.until((received) => received.includes('"limit":1024'))
    connection.write(Buffer.alloc(mebibyte))
    expect(statusesIn(await connection.untilClosed())).toEqual([413])
  })

  test('ends the connection when it takes too long', async () => {
    await using server = await openServer({ limits: { manifestBytes: 1024, refusedBodyMs: 30 } })
    using connection = await RawConnection.open(server.url)
    connection.write(tooLargePut(mebibyte))
    expect(statusesIn(await connection.untilClosed())).toEqual([413])
  })

  test('is counted where it is not announced', async () => {
    await using server = await openServer({ limits: { manifestBytes: 1024 } })
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 64; i++) yield Buffer.alloc(64 * 1024)
    }
    const answer = await ask(`${server.url}/v2/a/b/manifests/x`, { method: 'PUT', body: body() })
    expect(answer.status).toBe(413)
    expect(answer.text()).toContain('1024 bytes')
  })

  test.each([2_000, 60_000, 130_000, 1_000_000])(
    'does not hold up the next request when it was here already, with %i bytes',
    async (size) => {
      await using server = await openServer({ limits: { manifestBytes: 1024 } })
      using connection = await RawConnection.open(server.url)
      const head = ['PUT /v2/a/b/manifests/x HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked', '', '']
      connection.write(`${head.join('\r\n')}${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n${ping}`)
      const received = await connection.until((text) => text.endsWith('{}'))
      expect(statusesIn(received)).toEqual([413, 200])
    },
  )

  test('does not reach a route that reads none', async () => {
    await using server = await openServer()
    const blob = aRandomBlob(2 * mebibyte)
    const answer = await ask(`${server.url}/v2/`, { method: 'GET', body: blob.bytes })
    expect(answer.status).toBe(200)
  })
})

describe('Expect: 100-continue', () => {
  test('is answered when the body is wanted', async () => {
    await using server = await openServer()
    const session = await openSession(`${server.url}/v2/a/b`)
    using connection = await RawConnection.open(server.url)
    const head = [`PATCH ${new URL(session).pathname} HTTP/1.1`, 'Host: x', 'Content-Length: 5', ...expecting]
    connection.write(`${head.join('\r\n')}\r\n\r\n`)
    await connection.until((received) => statusesIn(received).includes(100))
    connection.write('hello')
    expect(statusesIn(await connection.until((received) => received.includes('Range: 0-4')))).toEqual([
      100, 202,
    ])
  })

  test('gets the refusal alone, and the end of the connection announced, when the body is not wanted', async () => {
    await using server = await openServer({ limits: { manifestBytes: 1024, refusedBodyMs: 30 } })
    using connection = await RawConnection.open(server.url)
    connection.write(tooLargePut(mebibyte, expecting))
    const received = await connection.untilClosed()
    expect(statusesIn(received)).toEqual([413])
    expect(received).toContain('Connection: close')
  })
})

describe('a body that breaks off', () => {
  test('leaves what arrived in the session, and no fault in the log', async () => {
    await using server = await openServer()
    const session = await openSession(`${server.url}/v2/a/b`)
    const blob = aRandomBlob(mebibyte)
    await using request = openRequest(session, { method: 'PATCH', headers: { 'content-length': blob.size } })
    await request.write(blob.bytes.subarray(0, mebibyte / 2))
    request.cut()
    await eventually(
      () => server.logged.map(({ message }) => message),
      (messages) => messages.includes('the client left'),
    )
    const offset = Number((await ask(session)).headers.range?.slice('0-'.length)) + 1
    expect(offset).toBe(mebibyte / 2)
    const rest = { body: blob.bytes.subarray(offset) }
    expect((await closeSession(session, blob.digest, rest)).status).toBe(201)
    expect(server.logged.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
  })

  test('is answered with 408 when the client just stops sending', async () => {
    const closed: string[] = []
    await using server = await openServer({
      limits: { bodyIdleMs: 50, refusedBodyMs: 30 },
      observer: { onRequest: () => undefined, onConnectionClosed: (reason) => void closed.push(reason) },
    })
    const session = await openSession(`${server.url}/v2/a/b`)
    await using request = openRequest(session, { method: 'PATCH', headers: { 'content-length': 1000 } })
    await request.write(Buffer.alloc(600))
    const answer = await request.answer
    expect([answer.status, answer.headers.connection]).toEqual([408, 'close'])
    expect(closed).toEqual(['body-idle'])
    expect((await ask(session)).headers.range).toBe('0-599')
  })

  test('that is kept in memory until it is whole is answered with 408 when it takes too long, however often a byte comes', async () => {
    await using server = await openServer({ limits: { wholeBodyMs: 50, refusedBodyMs: 30 } })
    const headers = { 'content-length': 1000 }
    await using request = openRequest(`${server.url}/v2/a/b/manifests/v1`, { method: 'PUT', headers })
    const answered = request.answer.then(() => true)
    while (!(await Promise.race([answered, sleep(10, false)]))) {
      await request.write(Buffer.from('{')).catch(() => undefined)
    }
    const { status, body } = await request.answer
    expect(status).toBe(408)
    expect(body.toString()).toContain('did not arrive within 50 ms')
  })

  test('that goes to a session as it comes may take its time', async () => {
    await using server = await openServer({ limits: { wholeBodyMs: 1 } })
    const session = await openSession(`${server.url}/v2/a/b`)
    await using request = openRequest(session, { method: 'PATCH', headers: { 'content-length': 2 } })
    await request.write(Buffer.from('a'))
    await sleep(20)
    await request.write(Buffer.from('b'))
    expect((await request.answer).status).toBe(202)
  })
})

describe('a connection', () => {
  test('that never completes its head is answered with 408 and closed', async () => {
    await using server = await openServer({ limits: { headersMs: 50 } })
    using connection = await RawConnection.open(server.url)
    connection.write('GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    expect(statusesIn(await connection.untilClosed())).toEqual([408])
  })

  test('gets pipelined requests answered in their order', async () => {
    await using server = await openServer()
    using connection = await RawConnection.open(server.url)
    const unknown = 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n'
    connection.write(`${ping}${unknown}HEAD /v2/ HTTP/1.1\r\nHost: x\r\n\r\n${ping}`)
    const received = await connection.until((text) => statusesIn(text).length === 4 && text.endsWith('{}'))
    expect(statusesIn(received)).toEqual([200, 404, 200, 200])
  })
})

/** Starts a closing PUT whose body the server has begun to read. */
async function beginPut(url: string, blob: { digest: string; size: number }): Promise<RawConnection> {
  const session = new URL(await openSession(`${url}/v2/a/b`))
  const connection = await RawConnection.open(url)
  const target = `${session.pathname}?digest=${blob.digest}`
  const head = [`PUT ${target} HTTP/1.1`, 'Host: x', `Content-Length: ${blob.size}`, ...expecting]
  connection.write(`${head.join('\r\n')}\r\n\r\n`)
  await connection.until((received) => statusesIn(received).includes(100))
  return connection
}

describe('close', () => {
  test('lets a request under way end, and its connection with it', async () => {
    await using server = await openServer()
    const blob = aRandomBlob(1000)
    using connection = await beginPut(server.url, blob)
    const closed = server.server.close({ deadlineMs: 10_000 })
    await expect(ask(`${server.url}/v2/`)).rejects.toThrow('ECONNREFUSED')
    connection.write(blob.bytes)
    expect(statusesIn(await connection.untilClosed())).toEqual([100, 201])
    await closed
    expect(server.server.address()).toBeUndefined()
  })

  test('ends a connection whose reply had begun before, and promised to keep it', async () => {
    await using server = await openServer()
    const blob = aRandomBlob(32 * mebibyte)
    const path = '/v2/a/b/blobs'
    const pushed = await ask(`${server.url}${path}/uploads/?digest=${blob.digest}`, {
      method: 'POST',
      body: blob.bytes,
    })
    expect(pushed.status).toBe(201)
    using connection = await RawConnection.open(server.url)
    connection.write(`GET ${path}/${blob.digest} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await connection.until((received) => received.includes('Connection: keep-alive'))
    connection.pause()
    const closed = server.server.close({ deadlineMs: 10_000 })
    connection.resume()
    const received = await connection.untilClosed()
    expect(received.length - received.indexOf('\r\n\r\n') - 4).toBe(blob.size)
    await closed
  })

  test('cuts what is still under way at the deadline', async () => {
    await using server = await openServer()
    using connection = await beginPut(server.url, aRandomBlob(1000))
    await server.server.close({ deadlineMs: 10 })
    expect(statusesIn(await connection.untilClosed())).toEqual([100])
  })

  test('ends idle connections at once', async () => {
    await using server = await openServer()
    using connection = await RawConnection.open(server.url)
    connection.write(ping)
    await connection.until((received) => received.endsWith('{}'))
    await server.server.close({ deadlineMs: 10_000 })
    expect(statusesIn(await connection.untilClosed())).toEqual([200])
  })

  test('frees the port for another listener', async () => {
    const server = await openServer()
    const { port } = new URL(server.url)
    await server[Symbol.asyncDispose]()
    await using other = await openServer()
    await other.server.close({ deadlineMs: 0 })
    const again = other.server.listen({ host: '127.0.0.1', port: Number(port) })
    expect((await again).port).toBe(Number(port))
  })

  test('reports a port that is taken', async () => {
    await using server = await openServer()
    await using other = await openServer()
    await other.server.close({ deadlineMs: 0 })
    const port = Number(new URL(server.url).port)
    await expect(other.server.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
  })
})
