import { describe, expect, test } from 'vitest'
import { checkCsrf, checkOrigin, checkSameSite, csrfTokenOf, type CsrfHeaders } from './csrf.ts'

const registryUrl = 'https://registry.example.com'
const session = { csrfToken: csrfTokenOf('a secret') }
const own: CsrfHeaders = { method: 'POST', origin: registryUrl, csrfToken: session.csrfToken, registryUrl }

describe('G4: a request with the cookie of a session', () => {
  test.each<[string, Partial<CsrfHeaders>]>([
    ['of a page of this registry', {}],
    ['that changes nothing', { method: 'GET', origin: undefined, csrfToken: undefined }],
    ['over a proxy that ends TLS', { registryUrl: 'http://registry.example.com' }],
    ['on a port of its own', { registryUrl: 'http://localhost:5000', origin: 'http://localhost:5000' }],
  ])('%s is served', (_, changes) => {
    expect(() => checkCsrf(session, { ...own, ...changes })).not.toThrow()
  })

  test.each<[string, Partial<CsrfHeaders>]>([
    ['of another site', { origin: 'https://evil.example' }],
    ['of a neighbour', { origin: 'https://other.example.com' }],
    ['of a name that begins like ours', { origin: 'https://registry.example.com.evil.example' }],
    ['of another port', { origin: 'https://registry.example.com:8443' }],
    ['of the port of plain HTTP', { origin: 'https://registry.example.com:80' }],
    ['over plain HTTP', { origin: 'http://registry.example.com' }],
    ['of another scheme', { origin: 'ftp://registry.example.com' }],
    [
      'of another scheme behind a proxy',
      { origin: 'ftp://registry.example.com', registryUrl: 'http://registry.example.com' },
    ],
    ['of a page in a sandbox', { origin: 'null' }],
    ['that does not say where from', { origin: undefined }],
    ['without the token', { csrfToken: undefined }],
    ['with an empty token', { csrfToken: '' }],
    ['with the token of another session', { csrfToken: csrfTokenOf('another secret') }],
    ['with a part of the token', { csrfToken: session.csrfToken.slice(0, -1) }],
  ])('%s is refused', (_, changes) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      expect(() => checkCsrf(session, { ...own, ...changes, method })).toThrow(
        expect.objectContaining({ name: 'CsrfError', code: 'DENIED' }),
      )
    }
  })
})

describe('G4: a login', () => {
  test('comes from a page of this registry or from a program', () => {
    expect(() => checkOrigin({ origin: registryUrl, registryUrl })).not.toThrow()
    expect(() => checkOrigin({ origin: undefined, registryUrl })).not.toThrow()
    for (const origin of ['https://evil.example', 'null', '']) {
      expect(() => checkOrigin({ origin, registryUrl })).toThrow('another site')
    }
  })
})

describe('G4: a change without a session', () => {
  const program = { method: 'PUT', origin: undefined, site: undefined, registryUrl }

  test.each([
    ['of a program', {}],
    ['of a page of this registry', { origin: registryUrl, site: 'same-origin' }],
    ['that the user typed', { site: 'none' }],
    ['that only reads', { method: 'GET', origin: 'https://evil.example', site: 'cross-site' }],
  ])('%s is served', (_, changes) => {
    expect(() => checkSameSite({ ...program, ...changes })).not.toThrow()
  })

  test.each([
    ['of another site', { origin: 'https://evil.example' }],
    ['of another scheme', { origin: 'ftp://registry.example.com' }],
    ['without Origin', { site: 'cross-site' }],
    ['of a neighbour', { site: 'same-site' }],
  ])('%s is refused', (_, changes) => {
    expect(() => checkSameSite({ ...program, ...changes })).toThrow(
      expect.objectContaining({ name: 'CsrfError', code: 'DENIED' }),
    )
  })
})
