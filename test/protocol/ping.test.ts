/** end-1, extensions, and the common properties of all responses. */
import { describe, expect, test } from 'vitest'
import { errorsOf, expectError, expectStatus } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import { shareRegistry } from '../support/parts/in-process.ts'

const registry = shareRegistry({ storage: { driver: 'memory' } })

describe('ping', () => {
  test.each(['/v2/', '/v2'])(
    'end-1: %s answers 200 with an empty object and the API version',
    async (path) => {
      const answer = await ask(`${registry.url}${path}`)
      expectStatus(answer, 200)
      expect(answer.text()).toBe('{}')
      expect(answer.headers['content-type']).toBe('application/json')
      expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
    },
  )

  test('end-1: HEAD answers the headers of GET and no body', async () => {
    const answer = await ask(`${registry.url}/v2/`, { method: 'HEAD' })
    expectStatus(answer, 200)
    expect(answer.headers['content-length']).toBe('2')
    expect(answer.body).toHaveLength(0)
  })

  test('end-1: treats an empty Basic as no login', async () => {
    expectStatus(await ask(`${registry.url}/v2/`, { headers: { authorization: 'Basic Og==' } }), 200)
  })

  test.each([['Basic dXNlcjpwYXNz'], ['Bearer nothing'], ['nonsense']])(
    'end-1: refuses wrong credentials even if anyone may push (Authorization: %s)',
    async (authorization) => {
      const answer = await ask(`${registry.url}/v2/`, { headers: { authorization } })
      expectStatus(answer, 401)
      expect(answer.headers['www-authenticate']).toContain('Bearer realm=')
    },
  )

  test('end-1: answers for any Accept', async () => {
    const answer = await ask(`${registry.url}/v2/`, { headers: { accept: 'text/html' } })
    expectStatus(answer, 200)
  })
})

describe('every answer', () => {
  test('has the API version, even if it is an error', async () => {
    const paths = ['/v2/', '/v2/a/b/tags/list', '/v2/a/b/manifests/x', '/v2/A/tags/list', '/v2/_catalog?n=x']
    for (const path of paths) {
      const answer = await ask(`${registry.url}${path}`)
      expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
    }
  })

  test('carries a request id that differs from request to request', async () => {
    const answers = await Promise.all([ask(`${registry.url}/v2/`), ask(`${registry.url}/v2/`)])
    const ids = answers.map(({ headers }) => String(headers['x-request-id']))
    expect(ids[0]).toMatch(/\S/)
    expect(new Set(ids).size).toBe(2)
  })

  test('is never content-encoded, because clients need Content-Length', async () => {
    const answer = await ask(`${registry.url}/v2/`, { headers: { 'accept-encoding': 'gzip, br, zstd' } })
    expect(answer.headers['content-encoding']).toBeUndefined()
    expect(answer.headers['content-length']).toBe('2')
  })
})

describe('routes', () => {
  test.each(['/v2/a/b/nothing/here', '/v2/a/b/blobs', '/v3/', '/v2/_nothing', '/nothing'])(
    'answers 404 UNSUPPORTED at %s',
    async (path) => {
      const answer = await ask(`${registry.url}${path}`)
      expectError(answer, { status: 404, code: 'UNSUPPORTED', naming: [path] })
    },
  )

  test.each([
    ['POST', '/v2/', 'GET, HEAD'],
    ['POST', '/v2/a/b/manifests/x', 'DELETE, GET, HEAD, PUT'],
    ['PUT', '/v2/a/b/tags/list', 'GET, HEAD'],
    ['GET', '/v2/a/b/blobs/uploads/', 'POST'],
    ['PATCH', `/v2/a/b/blobs/sha256:${'a'.repeat(64)}`, 'DELETE, GET, HEAD'],
    ['DELETE', '/v2/_catalog', 'GET, HEAD'],
    ['PURGE', '/v2/', 'GET, HEAD'],
  ])('answers 405 to %s %s and lists the methods', async (method, path, allow) => {
    const answer = await ask(`${registry.url}${path}`, { method })
    expectError(answer, { status: 405, code: 'UNSUPPORTED', naming: [method, allow] })
    expect(answer.headers.allow).toBe(allow)
  })

  test('an error has exactly the envelope of the spec', async () => {
    const answer = await ask(`${registry.url}/v2/a/b/tags/list`)
    expect(Object.keys(answer.json() as object)).toEqual(['errors'])
    expect(errorsOf(answer)).toHaveLength(1)
  })

  test('an error after HEAD has no body', async () => {
    const answer = await ask(`${registry.url}/v2/a/b/manifests/x`, { method: 'HEAD' })
    expect(answer.status).toBe(404)
    expect(answer.body).toHaveLength(0)
  })
})

describe('extensions', () => {
  test.each(['/v2/_oci/ext/discover', '/v2/a/b/_oci/ext/discover'])(
    'ext-discover: %s answers a list of extensions',
    async (path) => {
      const answer = await ask(`${registry.url}${path}`)
      expectStatus(answer, 200)
      expect(answer.headers['content-type']).toBe('application/json')
      const { extensions } = answer.json() as { extensions: Record<string, unknown>[] }
      expect(Array.isArray(extensions)).toBe(true)
      for (const extension of extensions) {
        expect(extension).toMatchObject({
          name: expect.stringMatching(/^_/) as string,
          url: expect.any(String) as string,
          endpoints: expect.any(Array) as string[],
        })
      }
    },
  )
})

describe('health', () => {
  test('healthz and readyz answer 200', async () => {
    expectStatus(await ask(`${registry.url}/healthz`), 200)
    expectStatus(await ask(`${registry.url}/readyz`), 200)
  })
})
