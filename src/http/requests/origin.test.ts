/** Tests which token URL clients receive, and which client address counts, with and without proxies. */
import { describe, expect, test } from 'vitest'
import { ask } from '../../../test/support/http/client.ts'
import { openAuthenticator, openPolicy } from '../../../test/support/parts/open-identity.ts'
import { openServer } from '../../../test/support/parts/open-server.ts'
import type { OpenServerOptions } from '../../../test/support/parts/open-server.ts'
import { RawConnection } from '../../../test/support/http/raw-connection.ts'
import type { Origin } from '../../identity/identity.ts'
import { isHost } from './origin.ts'

interface Seen {
  readonly realm: string | undefined
  readonly origin: Origin
}

async function look(
  options: OpenServerOptions,
  headers: Record<string, string | string[]> = {},
): Promise<Seen> {
  let origin: Origin = { address: 'nobody asked', client: undefined }
  await using server = await openServer({
    ...options,
    policy: { ...openPolicy, mayEnter: () => false },
    authenticator: {
      ...openAuthenticator,
      authenticate(_authorization, { address, client }) {
        origin = { address, client }
        return { kind: 'anonymous', scopes: undefined }
      },
    },
  })
  const answer = await ask(`${server.url}/v2/`, { headers: { host: 'registry.test', ...headers } })
  const [, realm] = /realm="([^"]*)"/.exec(answer.headers['www-authenticate'] ?? '') ?? []
  return { realm, origin }
}

const forged = {
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.test',
  'x-forwarded-port': '1',
  forwarded: 'for=203.0.113.9;proto=https;host=evil.test',
}

describe('the realm', () => {
  test('is where the request was sent', async () => {
    expect((await look({})).realm).toBe('http://registry.test/v2/token')
    expect((await look({}, { host: 'localhost:5000' })).realm).toBe('http://localhost:5000/v2/token')
    expect((await look({}, { host: '[::1]:5000' })).realm).toBe('http://[::1]:5000/v2/token')
  })

  test('G3: is not what anyone may write into a header', async () => {
    const { realm, origin } = await look({}, forged)
    expect(realm).toBe('http://registry.test/v2/token')
    expect(origin.address).toBe('127.0.0.1')
    const elsewhere = await look({ trustedProxies: ['10.0.0.0/8'] }, forged)
    expect(elsewhere).toEqual({ realm: 'http://registry.test/v2/token', origin })
  })

  test('is what a declared proxy says', async () => {
    const trustedProxies = ['127.0.0.0/8']
    const headers = {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'r.test',
    }
    const { realm, origin } = await look({ trustedProxies }, headers)
    expect(realm).toBe('https://r.test/v2/token')
    expect(origin.address).toBe('203.0.113.9')
    const proto = { 'x-forwarded-proto': 'https' }
    expect((await look({ trustedProxies }, proto)).realm).toBe('https://registry.test/v2/token')
  })

  test.each([
    [{ 'x-forwarded-port': '8443', 'x-forwarded-proto': 'https' }, 'https://registry.test:8443'],
    [{ 'x-forwarded-port': '443', 'x-forwarded-proto': 'https' }, 'https://registry.test'],
    [{ 'x-forwarded-port': '80' }, 'http://registry.test'],
    // A second proxy, between the TLS proxy and the registry, may pass on the scheme of the first and name its own port.
    [{ 'x-forwarded-port': '80', 'x-forwarded-proto': 'https' }, 'https://registry.test'],
    [{ 'x-forwarded-port': '443' }, 'http://registry.test'],
    [{ 'x-forwarded-port': '8443', 'x-forwarded-host': 'r.test' }, 'http://r.test:8443'],
    [{ 'x-forwarded-port': '8443', 'x-forwarded-host': 'r.test:5000' }, 'http://r.test:5000'],
    [{ 'x-forwarded-port': '8443', host: '[::1]' }, 'http://[::1]:8443'],
    [{ 'x-forwarded-port': '8443, 8080' }, 'http://registry.test:8080'],
    [{ 'x-forwarded-port': '1", error="x' }, 'http://registry.test'],
    [{ forwarded: 'for=203.0.113.9;proto=https;host="r.test:8443"' }, 'https://r.test:8443'],
    // Each proxy appends; entries that the client wrote at the front are ignored.
    [{ 'x-forwarded-proto': 'http, https' }, 'https://registry.test'],
    [{ 'x-forwarded-proto': 'https, http', 'x-forwarded-for': '203.0.113.9' }, 'http://registry.test'],
    [
      { 'x-forwarded-proto': 'http, https, http', 'x-forwarded-for': '203.0.113.9, 127.0.0.2' },
      'https://registry.test',
    ],
  ])('is on the port and of the scheme that a declared proxy says: %j', async (headers, url) => {
    const { realm } = await look({ trustedProxies: ['127.0.0.0/8'] }, headers)
    expect(realm).toBe(`${url}/v2/token`)
  })

  test('is the Host where a declared proxy passes on nonsense', async () => {
    for (const host of ['r.test/path', 'user@r.test', 'r.test"', 'a b', '']) {
      const { realm } = await look({ trustedProxies: ['127.0.0.1'] }, { 'x-forwarded-host': host })
      expect(realm).toBe('http://registry.test/v2/token')
    }
  })

  test('is what was configured, whatever comes', async () => {
    for (const publicUrl of ['https://r.test:8443', 'https://r.test:8443/']) {
      const { realm } = await look({ publicUrl, trustedProxies: ['127.0.0.1'] }, forged)
      expect(realm).toBe('https://r.test:8443/v2/token')
    }
  })

  test('is the address of the listener for HTTP/1.0 without Host', async () => {
    await using server = await openServer({ policy: { ...openPolicy, mayEnter: () => false } })
    using connection = await RawConnection.open(server.url)
    connection.write('GET /v2/ HTTP/1.0\r\n\r\n')
    expect(await connection.untilClosed()).toContain(`realm="${server.url}/v2/token"`)
  })
})

describe('the client', () => {
  test('is named by its User-Agent, within bounds', async () => {
    expect((await look({})).origin.client).toBeUndefined()
    expect((await look({}, { 'user-agent': 'docker/28.5.2' })).origin.client).toBe('docker/28.5.2')
    expect((await look({}, { 'user-agent': 'x'.repeat(5000) })).origin.client).toHaveLength(255)
  })
})

test.each(['10.0.0.0/99', 'proxy', ''])('a trusted proxy %j stops the start', async (entry) => {
  await expect(openServer({ trustedProxies: [entry] })).rejects.toThrow(/not an address or network/)
})

test.each([
  ['registry.test', true],
  ['registry.test:5000', true],
  ['my_registry:5000', true],
  ['127.0.0.1', true],
  ['[2001:db8::1]:443', true],
  ['', false],
  ['registry.test:', false],
  ['registry.test:999999', false],
  ['user@registry.test', false],
  ['registry.test/v2', false],
  ['registry test', false],
  ['registry.test\r\nX: y', false],
  ['registry.test", error="x', false],
  ['::1', false],
  ['x'.repeat(254), false],
])('%j as Host: %s', (text, valid) => {
  expect(isHost(text)).toBe(valid)
})
