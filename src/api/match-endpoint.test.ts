import { describe, expect, test } from 'vitest'
import { defineEndpoint } from './endpoint.ts'
import { endpoints } from './endpoints.ts'
import { createMatcher } from './match-endpoint.ts'

function row(method: 'GET' | 'PUT' | 'DELETE', path: string) {
  return defineEndpoint({
    id: `${method} ${path}`,
    method,
    path,
    tag: 'test',
    summary: '',
    access: 'public',
    status: 204,
    handler: () => Promise.resolve({}),
  })
}

const match = createMatcher([
  row('GET', '/owners/{owner}'),
  row('DELETE', '/owners/{owner}'),
  row('GET', '/owners/{owner}/teams/{team}'),
  row('GET', '/owners/me'),
  row('PUT', '/owners/{owner}/teams/all'),
])

function find(path: string, method = 'GET') {
  const found = match(method, `/api/v1${path}`)
  return found && [found.endpoint?.id, found.params]
}

describe('match', () => {
  test('finds the row of a path and its parameters', () => {
    expect(find('/owners/acme')).toEqual(['GET /owners/{owner}', { owner: 'acme' }])
    expect(find('/owners/acme/teams/core')).toEqual([
      'GET /owners/{owner}/teams/{team}',
      { owner: 'acme', team: 'core' },
    ])
  })

  test('prefers a literal component to a parameter, in any order of the table', () => {
    expect(find('/owners/me')).toEqual(['GET /owners/me', {}])
    expect(find('/owners/acme/teams/all', 'PUT')).toEqual([
      'PUT /owners/{owner}/teams/all',
      { owner: 'acme' },
    ])
  })

  test('decodes a parameter once, and leaves text that is not encoded UTF-8 unchanged', () => {
    expect(find('/owners/a%2Fb%2520')).toEqual(['GET /owners/{owner}', { owner: 'a/b%20' }])
    expect(find('/owners/%ff')).toEqual(['GET /owners/{owner}', { owner: '%ff' }])
  })

  test('names the methods of a path that has no row with the method', () => {
    expect(match('PUT', '/api/v1/owners/acme')).toEqual({
      endpoint: undefined,
      params: { owner: 'acme' },
      allow: 'DELETE, GET, HEAD',
    })
  })

  test.each([
    '',
    '/',
    '/owners',
    '/owners/',
    '/owners//teams/core',
    '/owners/acme/',
    '//owners/acme',
    '/Owners/acme',
  ])('finds nothing at %j', (path) => {
    expect(find(path)).toBeUndefined()
  })

  test('finds nothing outside the prefix', () => {
    expect(match('GET', '/owners/acme')).toBeUndefined()
    expect(match('GET', '/api/v10/owners/acme')).toBeUndefined()
  })

  test('finds each row of the API by its own path', () => {
    const matchAll = createMatcher(endpoints)
    for (const endpoint of endpoints) {
      const path = endpoint.path.replaceAll(/\{[a-z]+\}/gi, '1')
      expect(matchAll(endpoint.method, `/api/v1${path}`)?.endpoint).toBe(endpoint)
    }
  })
})
