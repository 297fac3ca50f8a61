import { describe, expect, test } from 'vitest'
import { parseAddress, parseTrustedProxies, readForwarded } from './forwarded.ts'

const proxies = parseTrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1'])
const proxy = '10.0.0.1'
const client = '203.0.113.9'

describe('trusted proxies', () => {
  test.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['fd12::1', true],
    ['fe80::1', false],
    ['::1', true],
  ])('of %s: %s', (address, trusted) => {
    expect(proxies.has(address)).toBe(trusted)
  })

  test('are none by default (G3)', () => {
    const none = parseTrustedProxies([])
    for (const address of ['127.0.0.1', '::1', '10.0.0.1', '']) expect(none.has(address)).toBe(false)
  })

  test.each([
    '',
    'proxy.example',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    '*',
    '1.2.3.4:80',
  ])('refuse %j as an entry', (entry) => {
    expect(() => parseTrustedProxies([entry])).toThrow(/not an address or network/)
  })
})

describe('the client', () => {
  test('is the peer, when that is no declared proxy, whatever the headers say (G3)', () => {
    const headers = {
      'x-forwarded-for': '10.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.test',
      forwarded: 'for=10.0.0.1;proto=https;host=evil.test',
    }
    expect(readForwarded(headers, client, proxies)).toEqual({
      address: client,
      scheme: undefined,
      host: undefined,
    })
  })

  test.each([
    ['one proxy', client, client],
    ['a chain of proxies', `${client}, 10.0.0.3, 10.0.0.2`, client],
    ['what the client wrote in front', `192.0.2.7, 8.8.8.8, ${client}`, client],
    ['proxies alone', '10.0.0.9, 10.0.0.8', '10.0.0.9'],
    ['a port', `${client}:4711`, client],
    ['IPv6 with a port', '[2001:DB8::1]:4711', '2001:db8::1'],
    ['no address', 'unknown', proxy],
    ['no address behind a proxy', 'unknown, 10.0.0.2', '10.0.0.2'],
    ['an empty list', '', proxy],
    ['IPv4 as IPv6', `::ffff:${client}`, client],
  ])('is read from the end of the list: %s', (_name, list, address) => {
    expect(readForwarded({ 'x-forwarded-for': list }, proxy, proxies).address).toBe(address)
  })

  test.each([
    ['https', 'https'],
    ['HTTPS', 'https'],
    ['http', 'http'],
    ['javascript', undefined],
    ['', undefined],
    ['http, https', 'https'],
  ])('came by %j: %s', (proto, scheme) => {
    expect(readForwarded({ 'x-forwarded-proto': proto }, proxy, proxies).scheme).toBe(scheme)
  })

  test('asked the host that the outermost trusted proxy saw', () => {
    const chain = { 'x-forwarded-for': `1.1.1.1, ${client}, 10.0.0.2` }
    const host = (list: string): string | undefined =>
      readForwarded({ ...chain, 'x-forwarded-host': list }, proxy, proxies).host
    expect(host('r.test')).toBe('r.test')
    expect(host('evil.test, r.test, inner.test')).toBe('r.test')
  })
})

describe('Forwarded', () => {
  test.each([
    [`for=${client};proto=https;host=r.test`, client, 'https', 'r.test'],
    [`For="${client}:4711" ; Proto=https; Host="r.test:5000"`, client, 'https', 'r.test:5000'],
    ['for="[2001:db8::1]:4711"', '2001:db8::1', undefined, undefined],
    [`for=8.8.8.8;host=evil.test, for=${client};host=r.test`, client, undefined, 'r.test'],
    ['for=_hidden;proto=https', proxy, 'https', undefined],
    ['nonsense', proxy, undefined, undefined],
  ])('%s', (forwarded, address, scheme, host) => {
    expect(readForwarded({ forwarded }, proxy, proxies)).toEqual({ address, scheme, host })
  })

  test('counts for nothing beside X-Forwarded-For, which the proxy did set', () => {
    const headers = { forwarded: 'for=8.8.8.8;host=evil.test', 'x-forwarded-for': client }
    expect(readForwarded(headers, proxy, proxies)).toEqual({
      address: client,
      scheme: undefined,
      host: undefined,
    })
  })
})

test.each([
  ['::FFFF:1.2.3.4', '1.2.3.4'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[::1]', '::1'],
  ['1.2.3.4', '1.2.3.4'],
  ['1.2.3', undefined],
  ['', undefined],
  ['localhost', undefined],
])('the address %j is %s', (text, address) => {
  expect(parseAddress(text)).toBe(address)
})
