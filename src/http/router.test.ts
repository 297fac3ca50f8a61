import { describe, expect, test } from 'vitest'
import { createRouter } from './router.ts'
import type { Method } from './route.ts'
import { routes } from './routes.ts'

const router = createRouter(routes)
const digest = `sha256:${'a'.repeat(64)}`

describe('router', () => {
  test.each([
    ['GET', '/v2/', 'end-1', undefined, ''],
    ['GET', '/v2', 'end-1', undefined, ''],
    ['GET', `/v2/a/b/blobs/${digest}`, 'end-2', 'a/b', digest],
    ['HEAD', `/v2/a/b/blobs/${digest}`, 'end-2', 'a/b', digest],
    ['GET', `/v2/a/b/blobs/sha256%3A${'a'.repeat(64)}`, 'end-2', 'a/b', digest],
    ['GET', '/v2/a/b/manifests/latest', 'end-3', 'a/b', 'latest'],
    ['PUT', `/v2/a/b/manifests/${digest}`, 'end-7a, end-7b', 'a/b', digest],
    ['DELETE', '/v2/a/b/manifests/latest', 'end-9', 'a/b', 'latest'],
    ['POST', '/v2/a/b/blobs/uploads/', 'end-4a, end-4b, end-4c, end-11', 'a/b', ''],
    ['PATCH', '/v2/a/b/blobs/uploads/id-1', 'end-5', 'a/b', 'id-1'],
    ['PUT', '/v2/a/b/blobs/uploads/id-1', 'end-6', 'a/b', 'id-1'],
    ['GET', '/v2/a/b/blobs/uploads/id-1', 'end-13', 'a/b', 'id-1'],
    ['DELETE', '/v2/a/b/blobs/uploads/id-1', 'end-14', 'a/b', 'id-1'],
    ['GET', '/v2/a/b/tags/list', 'end-8a, end-8b', 'a/b', ''],
    ['GET', `/v2/a/b/referrers/${digest}`, 'end-12a, end-12b', 'a/b', digest],
    ['GET', '/v2/_catalog', 'catalog', undefined, ''],
    ['GET', '/v2/_oci/ext/discover', 'ext-discover', undefined, ''],
    ['GET', '/v2/a/b/_oci/ext/discover', 'ext-discover', 'a/b', ''],
    ['GET', '/healthz', 'healthz', undefined, ''],
    ['GET', '/v2/token', 'token', undefined, ''],
    ['POST', '/v2/token', 'token', undefined, ''],
  ])('leads %s %s to %s', (method, target, id, name, argument) => {
    const match = router(method, target)
    expect(match?.route).toMatchObject({ id })
    expect(match).toMatchObject({ name, argument })
  })

  test.each([
    ['/v2/a/blobs/blobs/x', 'a/blobs', 'x'],
    ['/v2/a/manifests/manifests/x', 'a/manifests', 'x'],
    ['/v2/a/tags/manifests/list', 'a/tags', 'list'],
    ['/v2/a/blobs/uploads/manifests/x', 'a/blobs/uploads', 'x'],
    ['/v2/a/manifests/x/tags/list', 'a/manifests/x', ''],
    ['/v2/a/blobs/uploads/blobs/uploads/x', 'a/blobs/uploads', 'x'],
    ['/v2/a/referrers/tags/list', 'a/referrers', ''],
    ['/v2/blobs/uploads/manifests/latest', 'blobs/uploads', 'latest'],
  ])('takes words of the grammar as components of a name: %s', (target, name, argument) => {
    expect(router('GET', target)).toMatchObject({ name, argument })
  })

  test.each([
    ['/v2/A/b/manifests/x', 'A/b'],
    ['/v2//a/b/manifests/x', '/a/b'],
    ['/v2/a//b/manifests/x', 'a//b'],
    ['/v2/a/b//manifests/x', 'a/b/'],
    ['/v2/a/../b/manifests/x', 'a/../b'],
    ['/v2/a%2fb/manifests/x', 'a/b'],
    ['/v2/a%252fb/manifests/x', 'a%2fb'],
    ['/v2/a%2f%2e%2e%2fb/manifests/x', 'a/../b'],
    ['/v2/a%ff/b/manifests/x', 'a%ff/b'],
    ['/v2/a%00/b/manifests/x', 'a\u0000/b'],
    ['/v2/blobs/uploads', ''],
    [String.raw`/v2/a\b/manifests/x`, String.raw`a\b`],
    ['/v2/manifests/x', ''],
    ['/v2/tags/list', ''],
    ['/v2/blobs/uploads/', ''],
  ])('hands the name of %s on decoded once, for the grammar to judge', (target, name) => {
    expect(router('GET', target)?.name).toBe(name)
  })

  test.each([
    '/',
    '//v2/',
    '/v2/a/b',
    '/v2/a/b/manifests/',
    '/v2/a/b/manifests/x/',
    '/v2/a/b/tags/list/',
    '/v2/a/b/blobs/uploads/id/',
    '/v2/_catalog/',
    '/V2/',
    '/v1/',
    '*',
    '',
  ])('knows nothing at %s', (target) => {
    expect(router('GET', target)).toBeUndefined()
  })

  test('keeps the query apart and undecoded', () => {
    expect(router('GET', '/v2/a/b/tags/list?n=1&last=%2F?')).toMatchObject({
      path: '/v2/a/b/tags/list',
      rawQuery: 'n=1&last=%2F?',
    })
  })

  test('takes the absolute form of a target', () => {
    expect(router('GET', 'http://registry.test:5000/v2/a/b/tags/list?n=1')).toMatchObject({
      path: '/v2/a/b/tags/list',
      name: 'a/b',
    })
  })

  test('leaves a broken escape as it is', () => {
    expect(router('GET', '/v2/a/b/manifests/%zz')?.argument).toBe('%zz')
  })

  test('names the methods of a path that has no row for the one asked', () => {
    expect(router('PATCH', '/v2/a/b/manifests/x')).toMatchObject({
      route: undefined,
      allow: 'DELETE, GET, HEAD, PUT',
    })
  })

  test('answers HEAD wherever GET has a row', () => {
    const paths = routes.filter(({ method }) => method === 'GET').map(({ path }) => path)
    expect(paths.filter((path) => router('HEAD', path)?.route === undefined)).toEqual([])
  })
})

/** Returns the right that clients request in their token scopes. Upload sessions need `push` with any method. */
function wantedAction(method: Method, path: string): readonly string[] {
  if (!path.includes('<repository>')) return ['none', 'enter', 'catalog']
  if (path.includes('<uploadId>')) return ['push']
  if (method === 'DELETE') return ['delete']
  return method === 'GET' || method === 'HEAD' ? ['pull'] : ['push']
}

const pull = ['1', '2', '3', '8a', '8b', '12a', '12b']
const push = ['4a', '4b', '4c', '5', '6', '7a', '7b', '11', '13', '14']
const management = ['9', '10']

describe('route table', () => {
  test.each([...pull, ...push, ...management])('has a row for end-%s of the distribution-spec', (id) => {
    expect(routes.flatMap((route) => route.id.split(', '))).toContain(`end-${id}`)
  })

  test('asks who it is wherever something of the registry is shown', () => {
    const open = routes.filter(({ action }) => action === 'none').map(({ path }) => path)
    expect([...new Set(open)]).toEqual(['/v2/token', '/healthz', '/metrics', '/readyz'])
  })

  test('gives every method its action (B4)', () => {
    const wrong = routes.filter(({ method, path, action }) => !wantedAction(method, path).includes(action))
    expect(wrong).toEqual([])
  })
})
