import { request as askOverTls } from 'node:https'
import type { RequestOptions } from 'node:https'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../../test/support/content/certificate.ts'
import { ask } from '../../../test/support/http/client.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { openPolicy } from '../../../test/support/parts/open-identity.ts'
import { openServer } from '../../../test/support/parts/open-server.ts'
import { RawConnection, statusesIn } from '../../../test/support/http/raw-connection.ts'

const certificate = createCertificate()
const anyCertificate = { rejectUnauthorized: false }

function get(
  url: string,
  options: RequestOptions = anyCertificate,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = askOverTls(url, { agent: false, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

async function handshake(url: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    ...anyCertificate,
    ...options,
  })
  await once(socket, 'secureConnect')
  return socket
}

async function fingerprintOf(url: string): Promise<string> {
  const socket = await handshake(url)
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

describe('with TLS', () => {
  test('a client that trusts the certificate is answered', async () => {
    await using server = await openServer({ tls: certificate })
    expect(await get(`${server.url}/v2/`, { ca: certificate.cert })).toEqual({ status: 200, body: '{}' })
  })

  test('a large reply and a large request arrive whole', async () => {
    await using server = await openServer({ tls: certificate })
    const body = Buffer.alloc(3_000_000, 'x')
    const digest = `sha256:${Buffer.from(await crypto.subtle.digest('SHA-256', body)).toString('hex')}`
    const push = askOverTls(`${server.url}/v2/a/b/blobs/uploads/?digest=${digest}`, {
      method: 'POST',
      agent: false,
      ...anyCertificate,
    })
    push.end(body)
    const [response] = (await once(push, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    expect(response.statusCode).toBe(201)
    expect((await get(`${server.url}/v2/a/b/blobs/${digest}`)).body).toBe(body.toString())
  })

  test('only HTTP/1.1 is agreed on, and nothing older than TLS 1.2', async () => {
    await using server = await openServer({ tls: certificate })
    const socket = await handshake(server.url, { ALPNProtocols: ['http/1.1'] })
    expect(socket.alpnProtocol).toBe('http/1.1')
    socket.destroy()
    await expect(handshake(server.url, { ALPNProtocols: ['h2'] })).rejects.toThrow(/alert|reset/i)
    const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }
    await expect(handshake(server.url, old)).rejects.toThrow(/version|alert|reset/i)
    expect((await get(`${server.url}/v2/`)).status).toBe(200)
  })

  test('plain HTTP gets an answer that says so, whatever it sends', async () => {
    await using server = await openServer({ tls: certificate })
    const url = server.url.replace('https:', 'http:')
    for (const method of ['GET', 'PUT']) {
      const answer = await ask(`${url}/v2/`, {
        method,
        ...(method === 'PUT' && { body: Buffer.alloc(1000) }),
      })
      expect(answer.status).toBe(400)
      expect(answer.json()).toMatchObject({
        errors: [{ code: 'UNSUPPORTED', message: expect.stringContaining('https://') as string }],
      })
    }
    expect(server.logged.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
  })

  test('garbage and silence are cut off, and other connections are not disturbed', async () => {
    await using server = await openServer({ tls: certificate, limits: { headersMs: 100 } })
    using silent = await RawConnection.open(server.url)
    using halfway = await RawConnection.open(server.url)
    halfway.write(Buffer.from([0x16, 0x03, 0x01, 0x02]))
    using garbage = await RawConnection.open(server.url)
    garbage.write(Buffer.from('16030100050102030405', 'hex'))
    expect((await get(`${server.url}/v2/`)).status).toBe(200)
    for (const connection of [silent, halfway, garbage]) {
      expect(statusesIn(await connection.untilClosed())).toEqual([])
    }
    expect(server.logged.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
    await eventually(
      () => server.server.counts().connections,
      (open) => open === 0,
    )
  })

  test('the challenge names https', async () => {
    await using server = await openServer({
      tls: certificate,
      policy: { ...openPolicy, mayEnter: () => false },
    })
    const asked = askOverTls(`${server.url}/v2/`, { agent: false, ...anyCertificate })
    asked.end()
    const [response] = (await once(asked, 'response')) as [
      { headers: Record<string, string>; resume(): void },
    ]
    response.resume()
    expect(response.headers['www-authenticate']).toContain(`realm="${server.url}/v2/token"`)
  })
})

describe('reloading', () => {
  test('gives new connections the new certificate, and ends none', async () => {
    await using server = await openServer({ tls: certificate })
    const open = await handshake(server.url)
    const next = createCertificate()
    server.server.reloadTls(next)
    expect(await fingerprintOf(server.url)).toBe(next.fingerprint)
    open.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n')
    const [chunk] = (await once(open, 'data')) as [Buffer]
    expect(statusesIn(chunk.toString())).toEqual([200])
    open.destroy()
  })

  test('refuses a key of another certificate and keeps what it has', async () => {
    await using server = await openServer({ tls: certificate })
    const other = createCertificate()
    expect(() => server.server.reloadTls({ cert: other.cert, key: certificate.key })).toThrow(/key/)
    expect(() => server.server.reloadTls({ cert: 'nonsense', key: other.key })).toThrow(/PEM/)
    expect(await fingerprintOf(server.url)).toBe(certificate.fingerprint)
  })

  test('is refused where there is no TLS', async () => {
    await using server = await openServer()
    expect(() => server.server.reloadTls(certificate)).toThrow('without TLS')
  })
})

describe('closing', () => {
  test('ends a connection that has not said a word at once, and others at the deadline', async () => {
    await using server = await openServer({ tls: certificate })
    using silent = await RawConnection.open(server.url)
    using halfway = await RawConnection.open(server.url)
    halfway.write(Buffer.from([0x16, 0x03, 0x01, 0x02]))
    const idle = await handshake(server.url)
    await eventually(
      () => server.server.counts().connections,
      (open) => open === 3,
    )
    const closed = server.server.close({ deadlineMs: 100_000 })
    expect(await silent.untilClosed()).toBe('')
    expect(halfway.closed).toBe(false)
    await server.server.close({ deadlineMs: 0 })
    expect(await halfway.untilClosed()).toBe('')
    if (!idle.closed) await once(idle, 'close')
    await closed
  })
})
