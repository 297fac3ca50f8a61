/** The exact content of a 401: clients read scopes, errors and the address of the token endpoint from it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectError } from '../support/http/answers.ts'
import { ask, exchangeRaw } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { basic, openIdentityServer, passwordOf } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { statusesIn } from '../support/http/raw-connection.ts'
import { tester } from '../support/parts/tester.ts'

const blob = aRandomBlob()

let server: IdentityServer

beforeAll(async () => {
  server = await openIdentityServer()
  await server.addUser('alice')
  await server.addUser('bob')
  const headers = { authorization: basic('alice') }
  await pushBlob(`${server.url}/v2/alice/secret`, blob, { headers })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

function challengesOf({ rawHeaders }: Answer): string[] {
  return rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'www-authenticate',
  )
}

function bearer(parameters: string): string {
  return `Bearer realm="${server.url}/v2/token",service="lading"${parameters}`
}

function basicChallenge(): string {
  return `Basic realm="${server.url}/v2/token"`
}

async function send(method: string, path: string, authorization?: string): Promise<Answer> {
  return ask(`${server.url}${path}`, {
    method,
    headers: authorization === undefined ? {} : { authorization },
  })
}

const uploads = '/v2/alice/secret/blobs/uploads/'

describe('without credentials', () => {
  test.each([
    ['GET', '/v2/_catalog?n=1', ',scope="registry:catalog:*"'],
    ['GET', '/v2/_oci/ext/discover', ''],
    ['GET', '/v2/alice/secret/manifests/latest', ',scope="repository:alice/secret:pull"'],
    // The first request of a push.
    ['HEAD', `/v2/alice/secret/blobs/${blob.digest}`, ',scope="repository:alice/secret:pull,push"'],
    ['GET', '/v2/alice/secret/tags/list', ',scope="repository:alice/secret:pull"'],
    ['POST', uploads, ',scope="repository:alice/secret:pull,push"'],
    ['PATCH', `${uploads}x`, ',scope="repository:alice/secret:pull,push"'],
    ['GET', `${uploads}x`, ',scope="repository:alice/secret:pull,push"'],
    ['DELETE', `${uploads}x`, ',scope="repository:alice/secret:pull,push"'],
    ['PUT', '/v2/alice/secret/manifests/latest', ',scope="repository:alice/secret:pull,push"'],
    ['DELETE', '/v2/alice/secret/manifests/latest', ',scope="repository:alice/secret:delete"'],
    ['DELETE', `/v2/alice/secret/blobs/${blob.digest}`, ',scope="repository:alice/secret:delete"'],
    [
      'POST',
      `${uploads}?mount=${blob.digest}&from=bob%2Fopen`,
      ',scope="repository:alice/secret:pull,push repository:bob/open:pull"',
    ],
    [
      'POST',
      `${uploads}?mount=${blob.digest}&from=alice/secret`,
      ',scope="repository:alice/secret:pull,push"',
    ],
    ['POST', `${uploads}?mount=${blob.digest}&from=%22,x=%22`, ',scope="repository:alice/secret:pull,push"'],
    ['POST', `${uploads}?from=bob/open`, ',scope="repository:alice/secret:pull,push"'],
  ])('%s %s names the required scopes, Bearer first', async (method, path, parameters) => {
    const answer = await send(method, path)
    expect(answer.status).toBe(401)
    expect(challengesOf(answer)).toEqual([bearer(parameters), basicChallenge()])
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
    expect(answer.headers['cache-control']).toBe('no-store')
    if (method !== 'HEAD') expectError(answer, { status: 401, code: 'UNAUTHORIZED' })
  })

  // Clients that find a second realm send the password there: for oras-py, the library requests joins the lines, and its pattern
  // keeps the last value of a name; docker_registry2 splits the header at commas and also keeps the last.
  test.each([
    ['GET', '/v2/_catalog', undefined],
    ['GET', '/v2/alice/secret/manifests/latest', undefined],
    ['POST', uploads, undefined],
    ['GET', '/v2/token?scope=repository:alice/secret:pull', basic('alice', 'wrong password')],
  ])('%s %s names one realm on every line', async (method, path, authorization) => {
    const lines = challengesOf(await send(method, path, authorization))
    const [first = '', last = ''] = [lines[0], lines.at(-1)]
    for (const text of [first, last, lines.join(', '), lines.toReversed().join(', ')]) {
      const realms = [...text.matchAll(/realm="([^"]*)"/g)].map((match) => match[1])
      expect(new Set(realms)).toEqual(new Set([`${server.url}/v2/token`]))
    }
  })

  // If Basic were offered, too, Docker could not pull public repositories: it stops if it has no password.
  test.each([
    ['GET', '/v2/'],
    ['HEAD', '/v2/'],
    ['GET', '/v2'],
  ])('%s %s names only Bearer', async (method, path) => {
    const answer = await send(method, path)
    expect(answer.status).toBe(401)
    expect(challengesOf(answer)).toEqual([bearer('')])
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
  })

  test('an empty Basic counts as none', async () => {
    const answer = await send('GET', '/v2/', 'Basic Og==')
    expect(answer.status).toBe(401)
    expect(challengesOf(answer)).toEqual([bearer('')])
  })

  test('a private repository and a missing one get the same response', async () => {
    const [there, absent] = await Promise.all([
      send('GET', '/v2/alice/secret/manifests/x'),
      send('GET', '/v2/alice/nothing/manifests/x'),
    ])
    const rename = (text: string): string => text.replaceAll('alice/nothing', 'alice/secret')
    expect(rename(absent.text())).toBe(there.text())
    expect(challengesOf(absent).map(rename)).toEqual(challengesOf(there))
  })
})

describe('invalid credentials', () => {
  test.each([
    ['a wrong password', basic('alice', 'wrong password'), ''],
    ['an unknown name', basic('nobody', 'any password'), ''],
    [
      'a token that is none',
      'Bearer nonsense',
      ',error="invalid_token",error_description="the token has expired, was revoked or was not issued by this registry: get a new one"',
    ],
    ['an unknown scheme', 'Digest username="alice"', ''],
    ['a header that cannot be read', 'Basic ???', ''],
  ])('%s', async (_name, authorization, error) => {
    const ping = await send('GET', '/v2/', authorization)
    expectError(ping, { status: 401, code: 'UNAUTHORIZED' })
    expect(challengesOf(ping)).toEqual([bearer(error)])
    const pull = await send('GET', '/v2/alice/secret/tags/list', authorization)
    expect(challengesOf(pull)[0]).toBe(bearer(`,scope="repository:alice/secret:pull"${error}`))
  })

  test('a wrong password, an unknown name and a disabled account get the same response (C6)', async () => {
    await server.addUser('gone')
    await server.auth.accounts.disable('gone', tester)
    const texts = await Promise.all(
      [basic('alice', 'wrong password'), basic('nobody', 'wrong password'), basic('gone')].map(
        async (authorization) => (await send('GET', '/v2/', authorization)).text(),
      ),
    )
    expect(new Set(texts).size).toBe(1)
  })

  test('are refused even if anonymous may pull', async () => {
    await server.addRepository('alice/open', 'public')
    expect((await send('GET', '/v2/alice/open/tags/list')).status).toBe(200)
    expect((await send('GET', '/v2/alice/open/tags/list', basic('alice', 'wrong password'))).status).toBe(401)
  })

  test('are ignored by the health endpoints', async () => {
    expect((await send('GET', '/healthz', 'Bearer nonsense')).status).toBe(200)
    expect((await send('GET', '/readyz', basic('alice', 'wrong password'))).status).toBe(200)
  })
})

describe('a token that lacks the scope', () => {
  const lacks = ',error="insufficient_scope",error_description='

  test.each([
    ['GET', '/v2/alice/secret/tags/list', 'repository:alice/secret:pull'],
    ['POST', uploads, 'repository:alice/secret:pull,push'],
    ['DELETE', '/v2/alice/secret/manifests/latest', 'repository:alice/secret:delete'],
    ['GET', '/v2/_catalog', 'registry:catalog:*'],
  ])('%s %s names the scope, insufficient_scope and the reason', async (method, path, scope) => {
    const answer = await send(method, path, await server.bearer(['repository:alice/other:pull'], 'alice'))
    expectError(answer, { status: 401, code: 'UNAUTHORIZED' })
    const { errors } = answer.json() as { errors: [{ message: string }] }
    expect(challengesOf(answer)).toEqual([
      bearer(`,scope="${scope}"${lacks}"${errors[0].message}"`),
      basicChallenge(),
    ])
  })

  test.each(['secret', 'nothing'])(
    'of alice/%s was requested and refused: no other token is suggested',
    async (image) => {
      const scope = `repository:alice/${image}:pull,push`
      const reasons = [
        [
          'bob',
          `user bob may not push to alice/${image} with this token: push below your own name, bob/, or ask alice or an administrator`,
        ],
        [undefined, `a token issued without a login cannot be used to push to alice/${image}: log in`],
      ] as const
      for (const [name, reason] of reasons) {
        const token = await server.bearer([scope], name)
        const answer = await send('POST', `/v2/alice/${image}/blobs/uploads/`, token)
        expect(challengesOf(answer)[0]).toBe(bearer(`,scope="${scope}"${lacks}"${reason}"`))
      }
    },
  )

  test('gives the reason after HEAD, too, which has no body', async () => {
    const path = `/v2/alice/secret/blobs/${blob.digest}`
    const token = await server.bearer(['repository:alice/secret:pull'], 'bob')
    const [head, get] = [await send('HEAD', path, token), await send('GET', path, token)]
    expect(challengesOf(head)[0]).toContain(`${lacks}"user bob may not pull from alice/secret`)
    const asForGet = challengesOf(head).map((line) => line.replace(':pull,push"', ':pull"'))
    expect(asForGet).toEqual(challengesOf(get))
  })

  test('of a mount: both scopes are named', async () => {
    const token = await server.bearer(['repository:bob/target:pull,push'], 'bob')
    const path = `/v2/bob/target/blobs/uploads/?mount=${blob.digest}&from=alice/secret`
    const answer = await send('POST', path, token)
    expect(answer.status).toBe(401)
    expect(challengesOf(answer)[0]).toBe(
      bearer(
        `,scope="repository:bob/target:pull,push repository:alice/secret:pull"${lacks}"the token does not cover pulls from alice/secret: request one that does"`,
      ),
    )
  })
})

describe('Basic without the right', () => {
  test('gets 403, the same for forbidden and absent', async () => {
    const forbidden = await send('GET', '/v2/alice/secret/tags/list', basic('bob'))
    const absent = await send('GET', '/v2/alice/nothing/tags/list', basic('bob'))
    expectError(forbidden, { status: 403, code: 'DENIED', naming: ['bob', 'alice/secret'] })
    expect(challengesOf(forbidden)).toEqual([])
    expect(absent.text().replaceAll('alice/nothing', 'alice/secret')).toBe(forbidden.text())
  })

  test('is checked after the grammar of the name', async () => {
    const answer = await send('GET', '/v2/hello/tags/list', basic('bob'))
    expectError(answer, { status: 400, code: 'NAME_INVALID', naming: ['library/hello'] })
  })
})

describe('B1: a mount from a repository that the caller may not pull from', () => {
  test.each(['alice/secret', 'alice/nothing', 'NO/name'])('starts an upload: %s', async (from) => {
    const scopes = ['repository:bob/target:pull,push', `repository:${from}:pull`]
    for (const authorization of [basic('bob'), await server.bearer(scopes, 'bob')]) {
      const path = `/v2/bob/target/blobs/uploads/?mount=${blob.digest}&from=${from}`
      expect((await send('POST', path, authorization)).status).toBe(202)
    }
  })

  test('finds nothing without from, either', async () => {
    const path = `/v2/bob/target/blobs/uploads/?mount=${blob.digest}`
    expect((await send('POST', path, basic('bob'))).status).toBe(202)
    expect((await send('HEAD', `/v2/bob/target/blobs/${blob.digest}`, basic('bob'))).status).toBe(404)
  })

  test('gets 401 with a token for less than the account may do, and 201 with one for it', async () => {
    const path = `/v2/alice/target/blobs/uploads/?mount=${blob.digest}&from=alice/secret`
    const narrow = await server.bearer(['repository:alice/target:pull,push'], 'alice')
    expect((await send('POST', path, narrow)).status).toBe(401)
    const wide = ['repository:alice/target:pull,push', 'repository:alice/secret:pull']
    expect((await send('POST', path, await server.bearer(wide, 'alice'))).status).toBe(201)
  })
})

describe('B7: variants of a path reach the same decision', () => {
  const target = new Map<string, number>([
    ['/v2/alice/secret/tags/list', 401],
    ['/v2/alice/secret/tags/list?n=1', 401],
    ['/v2/alice/secret/manifests/%6catest', 401],
    ['/v2/alice%2fsecret/tags/list', 401],
    ['/v2/alice%252fsecret/tags/list', 400],
    ['/v2/public%2f..%2falice%2fsecret/tags/list', 400],
    ['/v2/alice//secret/tags/list', 400],
    ['/v2/ALICE/secret/tags/list', 400],
    ['/v2/alice/./secret/tags/list', 400],
    ['/v2/public/../alice/secret/tags/list', 400],
    ['/v2/alice/secret;x/tags/list', 400],
    ['/v2/alice/secret/tags/list/', 404],
    ['//v2/alice/secret/tags/list', 404],
    ['/v2/alice/secret/tags\\list', 404],
  ])

  test.each([...target])('%s is %i', async (path, status) => {
    const received = await exchangeRaw(
      server.url,
      `GET ${path} HTTP/1.1\r\nHost: registry.test\r\nConnection: close\r\n\r\n`,
    )
    expect(statusesIn(received)).toEqual([status])
  })

  test('the absolute form of a target changes nothing', async () => {
    const received = await exchangeRaw(
      server.url,
      'GET http://evil.test/v2/alice/secret/tags/list HTTP/1.1\r\nHost: registry.test\r\nConnection: close\r\n\r\n',
    )
    expect(statusesIn(received)).toEqual([401])
    expect(received).toContain('realm="http://registry.test/v2/token"')
  })
})

describe('G1: secrets of a request', () => {
  test('are in no log and no response', async () => {
    const secrets = [passwordOf('alice'), 'planted-password', 'planted.token.value']
    const answers = [
      await send('GET', '/v2/', basic('alice')),
      await send('GET', '/v2/alice/secret/tags/list', basic('alice', 'planted-password')),
      await send('GET', '/v2/', 'Bearer planted.token.value'),
      await send('GET', '/v2/token?password=planted-password&scope=planted-password', basic('alice')),
      await ask(`${server.url}/v2/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'grant_type=planted-password&password=planted-password&refresh_token=planted.token.value',
      }),
    ]
    const shown = JSON.stringify([
      server.logged,
      answers.map(({ body, headers }) => [body.toString(), headers]),
    ])
    for (const secret of secrets) {
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain(Buffer.from(`alice:${secret}`).toString('base64'))
    }
  })
})
