/** Credentials come only from `Authorization`: no session or cookie counts, and pages of other origins get no access. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/http/client.ts'
import type { Answer, Ask } from '../support/http/client.ts'
import { basic, openIdentityServer } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

const blob = aRandomBlob()
const origin = 'https://evil.test'
const cookie = `session=admin; token=${Buffer.from('alice:secret of alice').toString('base64')}`

let server: IdentityServer

beforeAll(async () => {
  server = await openIdentityServer()
  await server.addUser('alice')
  await pushBlob(`${server.url}/v2/alice/secret`, blob, { headers: { authorization: basic('alice') } })
  await server.addRepository('alice/open', 'public')
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

async function send(path: string, options: Ask = {}): Promise<Answer> {
  return ask(`${server.url}${path}`, options)
}

const requests: readonly (readonly [string, string])[] = [
  ['GET', '/v2/'],
  ['GET', '/v2/token'],
  ['POST', '/v2/token'],
  ['GET', '/v2/_catalog'],
  ['GET', `/v2/alice/secret/blobs/${blob.digest}`],
  ['GET', '/v2/alice/open/tags/list'],
  ['GET', '/v2/hello/tags/list'],
  ['POST', '/v2/alice/secret/blobs/uploads/'],
  ['PUT', '/v2/alice/secret/manifests/v1'],
  ['DELETE', '/v2/alice/secret/manifests/v1'],
  ['OPTIONS', '/v2/'],
  ['OPTIONS', '/v2/alice/secret/tags/list'],
  ['GET', '/healthz'],
  ['GET', '/nothing'],
]

describe('G4: a browser', () => {
  test.each(requests)('%s %s gets no cookie and no access for another origin', async (method, path) => {
    const preflight = { 'access-control-request-method': 'PUT', origin }
    for (const credentials of [{}, { authorization: basic('alice') }, { cookie }]) {
      const { headers } = await send(path, { method, headers: { ...preflight, ...credentials } })
      expect(headers['set-cookie']).toBeUndefined()
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  test.each(requests)('%s %s gets the same response with and without cookies', async (method, path) => {
    const [without, withCookies] = await Promise.all([
      send(path, { method, headers: { origin } }),
      send(path, { method, headers: { origin, cookie } }),
    ])
    expect(withCookies.status).toBe(without.status)
    expect(withCookies.headers['www-authenticate']).toBe(without.headers['www-authenticate'])
  })

  test('stays anonymous after its user logged in on the same connection', async () => {
    const login = await send('/v2/', { headers: { authorization: basic('alice') } })
    expect(login.status).toBe(200)
    expect((await send('/v2/', { headers: { cookie } })).status).toBe(401)
    expect((await send(`/v2/alice/secret/blobs/${blob.digest}`, { headers: { cookie } })).status).toBe(401)
  })
})
