/** Rights over HTTP: every kind of credential with every kind of request, in each mode of `auth.anonymous`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { basic, openIdentityServer } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { anImageManifest, pushImage } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

type Mode = 'none' | 'pull' | 'push'

const blob = aRandomBlob()
const image = anImageManifest({ layers: [blob] })
const absent = aRandomBlob()

const uploads = 'blobs/uploads/'
/** The method, the path below /v2/ and the scopes in the challenge. */
const requests = {
  ping: ['GET', '', []],
  catalog: ['GET', '_catalog', ['registry:catalog:*']],
  'pull public': ['GET', 'alice/public/manifests/latest', ['repository:alice/public:pull']],
  'pull private': ['GET', 'alice/private/manifests/latest', ['repository:alice/private:pull']],
  'pull absent': ['GET', 'alice/absent/manifests/latest', ['repository:alice/absent:pull']],
  'pull nobody': ['HEAD', `nobody/absent/blobs/${blob.digest}`, ['repository:nobody/absent:pull']],
  'push public': ['POST', `alice/public/${uploads}`, ['repository:alice/public:pull,push']],
  'push private': ['POST', `alice/private/${uploads}`, ['repository:alice/private:pull,push']],
  'push new': ['POST', `alice/new/${uploads}`, ['repository:alice/new:pull,push']],
  'push nobody': ['POST', `nobody/new/${uploads}`, ['repository:nobody/new:pull,push']],
  'delete public': ['DELETE', `alice/public/blobs/${absent.digest}`, ['repository:alice/public:delete']],
  'delete private': ['DELETE', `alice/private/blobs/${absent.digest}`, ['repository:alice/private:delete']],
  'mount private': [
    'POST',
    `bob/target/${uploads}?mount=${blob.digest}&from=alice/private`,
    ['repository:bob/target:pull,push', 'repository:alice/private:pull'],
  ],
  'mount public': [
    'POST',
    `bob/target/${uploads}?mount=${blob.digest}&from=alice/public`,
    ['repository:bob/target:pull,push', 'repository:alice/public:pull'],
  ],
} as const satisfies Record<string, readonly [method: string, path: string, scopes: readonly string[]]>

type Request = keyof typeof requests

/**
 * The expected statuses, where `i` and `s` after 401 mean `invalid_token` and `insufficient_scope`. Columns: no credentials;
 * Basic of the owner alice, of bob, of an administrator, with a wrong password; Bearer with all scopes of the request for alice,
 * for bob and for anonymous, and with the scope of another repository for an administrator.
 */
const columns = 'none alice bob admin wrong alice-token bob-token anonymous-token narrow-token'.split(' ')

const expected: Record<Mode, Record<Request, string>> = {
  pull: {
    ping: '401 200 200 200 401 200 200 200 200',
    catalog: '401 200 200 200 401 200 200 200 401s',
    'pull public': '200 200 200 200 401 200 200 200 401s',
    'pull private': '401 200 403 200 401 200 401s 401s 401s',
    'pull absent': '401 404 403 404 401 404 401s 401s 401s',
    'pull nobody': '401 403 403 404 401 401s 401s 401s 401s',
    'push public': '401 202 403 202 401 202 401s 401s 401s',
    'push private': '401 202 403 202 401 202 401s 401s 401s',
    'push new': '401 202 403 202 401 202 401s 401s 401s',
    'push nobody': '401 403 403 202 401 401s 401s 401s 401s',
    'delete public': '401 404 403 404 401 404 401s 401s 401s',
    'delete private': '401 404 403 404 401 404 401s 401s 401s',
    'mount private': '401 403 202 201 401 401s 202 401s 401s',
    'mount public': '401 403 201 201 401 401s 201 401s 401s',
  },
  none: {
    ping: '401 200 200 200 401 200 200 401s 200',
    catalog: '401 200 200 200 401 200 200 401s 401s',
    'pull public': '401 200 200 200 401 200 200 401s 401s',
    'pull private': '401 200 403 200 401 200 401s 401s 401s',
    'pull absent': '401 404 403 404 401 404 401s 401s 401s',
    'pull nobody': '401 403 403 404 401 401s 401s 401s 401s',
    'push public': '401 202 403 202 401 202 401s 401s 401s',
    'push private': '401 202 403 202 401 202 401s 401s 401s',
    'push new': '401 202 403 202 401 202 401s 401s 401s',
    'push nobody': '401 403 403 202 401 401s 401s 401s 401s',
    'delete public': '401 404 403 404 401 404 401s 401s 401s',
    'delete private': '401 404 403 404 401 404 401s 401s 401s',
    'mount private': '401 403 202 201 401 401s 202 401s 401s',
    'mount public': '401 403 201 201 401 401s 201 401s 401s',
  },
  push: {
    ping: '200 200 200 200 401 200 200 200 200',
    catalog: '200 200 200 200 401 200 200 200 401s',
    'pull public': '200 200 200 200 401 200 200 200 401s',
    'pull private': '401 200 403 200 401 200 401s 401s 401s',
    'pull absent': '404 404 404 404 401 404 404 404 401s',
    'pull nobody': '404 404 404 404 401 404 404 404 401s',
    'push public': '202 202 202 202 401 202 202 202 401s',
    'push private': '401 202 403 202 401 202 401s 401s 401s',
    'push new': '202 202 202 202 401 202 202 202 401s',
    'push nobody': '202 202 202 202 401 202 202 202 401s',
    'delete public': '404 404 404 404 401 404 404 404 401s',
    'delete private': '401 404 403 404 401 404 401s 401s 401s',
    'mount private': '202 201 202 201 401 201 202 202 401s',
    'mount public': '201 201 201 201 401 201 201 201 401s',
  },
}

async function setUp(anonymous: Mode): Promise<IdentityServer> {
  const server = await openIdentityServer({ anonymous })
  await server.addUser('alice')
  await server.addUser('bob')
  await server.addUser('root', { isAdmin: true })
  const authorization = basic('root')
  for (const [name, visibility] of [
    ['alice/public', 'public'],
    ['alice/private', 'private'],
  ] as const) {
    await server.addRepository(name, visibility)
    await pushImage(`${server.url}/v2/${name}`, image, { reference: 'latest', headers: { authorization } })
  }
  return server
}

async function authorize(
  server: IdentityServer,
  column: string,
  request: Request,
): Promise<string | undefined> {
  const scopes = requests[request][2]
  switch (column) {
    case 'none':
      return undefined
    case 'alice':
    case 'bob':
      return basic(column)
    case 'admin':
      return basic('root')
    case 'wrong':
      return basic('alice', 'not her password')
    case 'alice-token':
      return server.bearer(scopes, 'alice')
    case 'bob-token':
      return server.bearer(scopes, 'bob')
    case 'anonymous-token':
      return server.bearer(scopes)
    default:
      return server.bearer(['repository:other/image:pull,push,delete'], 'root')
  }
}

function outcomeOf({ status, headers }: Answer): string {
  const challenge = headers['www-authenticate'] ?? ''
  const [, error = ''] = /error="([a-z_]+)"/.exec(challenge) ?? []
  return `${status}${{ invalid_token: 'i', insufficient_scope: 's' }[error] ?? ''}`
}

describe.each(Object.keys(expected) as Mode[])('in mode %s', (mode) => {
  let server: IdentityServer

  beforeAll(async () => {
    server = await setUp(mode)
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test.each(Object.entries(expected[mode]) as [Request, string][])('B4: %s is %s', async (request, row) => {
    const outcomes: string[] = []
    for (const column of columns) {
      const authorization = await authorize(server, column, request)
      const [method, path] = requests[request]
      const headers = authorization === undefined ? {} : { authorization }
      outcomes.push(outcomeOf(await ask(`${server.url}/v2/${path}`, { method, headers })))
    }
    expect(outcomes.join(' ')).toBe(row)
  })

  test('no request causes an error of the server', () => {
    expect(server.logged.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
  })
})
