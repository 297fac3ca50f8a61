/** The validity of bearer tokens: forged, foreign, expired, revoked, and for other content. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectError, expectStatus } from '../support/http/answers.ts'
import { ask, openRequest } from '../support/http/client.ts'
import type { Answer, Ask } from '../support/http/client.ts'
import { basic, openIdentityServer } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'
import { tester } from '../support/parts/tester.ts'

const blob = aRandomBlob()
const pull = 'repository:alice/secret:pull'
const push = 'repository:alice/secret:pull,push'

let server: IdentityServer

async function setUp(): Promise<IdentityServer> {
  const opened = await openIdentityServer()
  await opened.addUser('alice')
  await opened.addUser('bob')
  await opened.addUser('root', { isAdmin: true })
  const headers = { authorization: basic('alice') }
  await pushBlob(`${opened.url}/v2/alice/secret`, blob, { headers })
  return opened
}

beforeAll(async () => {
  server = await setUp()
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

async function send(path: string, authorization: string, options: Ask = {}): Promise<Answer> {
  return ask(`${server.url}${path}`, { ...options, headers: { ...options.headers, authorization } })
}

const blobPath = `/v2/alice/secret/blobs/${blob.digest}`

/** The message for every fault of a token. */
const invalid = 'the token has expired, was revoked or was not issued by this registry: get a new one'

function expectInvalid(answer: Answer, { url }: { url: string } = server): void {
  expectError(answer, { status: 401, code: 'UNAUTHORIZED' })
  expect(answer.headers['www-authenticate']).toContain(
    `scope="${pull}",error="invalid_token",error_description="${invalid}", Basic realm="${url}/v2/token"`,
  )
}

interface Parts {
  readonly header: Record<string, unknown>
  readonly payload: Record<string, unknown>
  readonly signature: string
}

function take(authorization: string): Parts {
  const [header = '', payload = '', signature = ''] = authorization.slice('Bearer '.length).split('.')
  const parse = (text: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
  return { header: parse(header), payload: parse(payload), signature }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function forge({ header, payload }: Parts, signer: (input: Buffer) => Buffer): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `Bearer ${input}.${signer(Buffer.from(input)).toString('base64url')}`
}

const mine = generateKeyPairSync('ed25519')
const mineRsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const withKey = (key: KeyObject) => (input: Buffer) => sign(null, input, key)

describe('C1: a forged token gets 401 invalid_token', () => {
  const forgeries: Record<string, (token: Parts) => string> = {
    'more access under the old signature': ({ header, payload, signature }) =>
      `Bearer ${encode(header)}.${encode({ ...payload, sub: 'user:3' })}.${signature}`,
    'no signature': ({ header, payload }) => `Bearer ${encode(header)}.${encode(payload)}.`,
    'alg none': (token) =>
      forge({ ...token, header: { ...token.header, alg: 'none' } }, () => Buffer.alloc(0)),
    'alg None': (token) =>
      forge({ ...token, header: { ...token.header, alg: 'None' } }, () => Buffer.alloc(0)),
    'HMAC with the key id as secret': (token) =>
      forge({ ...token, header: { ...token.header, alg: 'HS256' } }, (input) =>
        createHmac('sha256', String(token.header['kid'])).update(input).digest(),
      ),
    'another key under the same id': (token) => forge(token, withKey(mine.privateKey)),
    'another key under another id': (token) =>
      forge({ ...token, header: { ...token.header, kid: 'mine' } }, withKey(mine.privateKey)),
    'no key id': ({ payload, signature }) =>
      forge({ header: { alg: 'EdDSA', typ: 'JWT' }, payload, signature }, withKey(mine.privateKey)),
    'an embedded jwk': (token) => {
      const jwk = mine.publicKey.export({ format: 'jwk' })
      return forge({ ...token, header: { ...token.header, jwk } }, withKey(mine.privateKey))
    },
    'a jku': (token) =>
      forge(
        { ...token, header: { ...token.header, jku: 'http://127.0.0.1:1/keys' } },
        withKey(mine.privateKey),
      ),
    'an x5c': (token) =>
      forge({ ...token, header: { ...token.header, x5c: ['MIIB'] } }, withKey(mine.privateKey)),
    'RSA under the same id': (token) =>
      forge({ ...token, header: { ...token.header, alg: 'RS256' } }, (input) =>
        sign('sha256', input, mineRsa.privateKey),
      ),
  }

  test.each(Object.entries(forgeries))('%s', async (_name, forgery) => {
    const token = await server.bearer([pull], 'alice')
    expectStatus(await send(blobPath, token), 200)
    expectInvalid(await send(blobPath, forgery(take(token))))
  })

  test("even if the registry's own key signed its wrong claims", async () => {
    const token = take(await server.bearer([pull], 'alice'))
    const { key } = await server.auth.keys.getActive()
    const wrong: Record<string, unknown>[] = [
      { iss: 'another-installation' },
      { aud: 'another-service' },
      { aud: undefined },
      { exp: undefined },
      { nbf: undefined },
      { iat: undefined },
      { sub: undefined },
      { sub: 'root' },
      { sub: 'user:999' },
      { access: undefined },
      { access: 'repository:alice/secret:pull' },
      { nbf: Number(token.payload['exp']) },
      { cv: 'x' },
    ]
    for (const change of [{}, ...wrong]) {
      const input = `${encode(token.header)}.${encode({ ...token.payload, ...change })}`
      const signature = await crypto.subtle.sign('Ed25519', key, Buffer.from(input))
      const answer = await send(blobPath, `Bearer ${input}.${Buffer.from(signature).toString('base64url')}`)
      if (Object.keys(change).length === 0) expectStatus(answer, 200)
      else expectInvalid(answer)
    }
  })
})

describe('C4: a token of another installation', () => {
  test('gets 401 invalid_token', async () => {
    await using other = await setUp()
    expectInvalid(await send(blobPath, await other.bearer([pull], 'alice')))
  })
})

describe('a token that was right', () => {
  test('gets 401 invalid_token when it has expired, and its successor does not', async () => {
    await using brief = await setUp()
    const before = await brief.bearer([pull], 'alice')
    const readWith = async (authorization: string): Promise<Answer> =>
      ask(`${brief.url}${blobPath}`, { headers: { authorization } })
    expectStatus(await readWith(before), 200)
    brief.registry.clock.advance(16 * 60_000)
    expectInvalid(await readWith(before), brief)
    expectStatus(await readWith(await brief.bearer([pull], 'alice')), 200)
  })

  test('when a long upload began is valid until its end', async () => {
    await using brief = await setUp()
    const content = aRandomBlob(100_000)
    const authorization = await brief.bearer([push], 'alice')
    const target = `${brief.url}/v2/alice/secret/blobs/uploads/?digest=${content.digest}`
    const headers = { authorization, 'content-length': content.size }
    await using upload = openRequest(target, { method: 'POST', headers })
    await upload.write(content.bytes.subarray(0, 50_000))
    // The server has authenticated the first request: it answers another one with the same token.
    expectStatus(await ask(`${brief.url}${blobPath}`, { headers: { authorization } }), 200)
    brief.registry.clock.advance(16 * 60_000)
    expectStatus(await upload.end(content.bytes.subarray(50_000)), 201)
  })

  test.each([
    [
      'the password changes',
      (auth: IdentityServer['auth']) => auth.accounts.setPassword('alice', 'new password', tester),
    ],
    ['the account is disabled', (auth: IdentityServer['auth']) => auth.accounts.disable('alice', tester)],
    [
      'the keys are rotated without overlap',
      (auth: IdentityServer['auth']) => auth.keys.rotate({ overlapMs: 0 }, tester),
    ],
  ])('C2: ends when %s, at once', async (_what, change) => {
    await using changing = await setUp()
    const authorization = await changing.bearer([pull], 'alice')
    const read = async (): Promise<Answer> =>
      ask(`${changing.url}${blobPath}`, { headers: { authorization } })
    expectStatus(await read(), 200)
    await change(changing.auth)
    expectInvalid(await read(), changing)
  })

  test('stays valid over a rotation with overlap', async () => {
    await using changing = await setUp()
    const authorization = await changing.bearer([pull], 'alice')
    await changing.auth.keys.rotate({ overlapMs: 60_000 }, tester)
    expectStatus(await ask(`${changing.url}${blobPath}`, { headers: { authorization } }), 200)
  })

  test('C2: is limited to the current rights of the account', async () => {
    await using changing = await setUp()
    await changing.addRepository('alice/open', 'public')
    const authorization = await changing.bearer(['repository:alice/open:pull'])
    const read = async (): Promise<Answer> =>
      ask(`${changing.url}/v2/alice/open/tags/list`, { headers: { authorization } })
    expectStatus(await read(), 200)
    await changing.addRepository('alice/open', 'private')
    expect((await read()).status).toBe(401)
  })
})

describe('Basic', () => {
  test('C2: ends with the password at once, even for clients that were accepted before', async () => {
    await using changing = await setUp()
    const read = async (authorization: string): Promise<number> =>
      (await ask(`${changing.url}${blobPath}`, { headers: { authorization } })).status
    expect(await read(basic('alice'))).toBe(200)
    await changing.auth.accounts.setPassword('alice', 'another password', tester)
    expect(await read(basic('alice'))).toBe(401)
    expect(await read(basic('alice', 'another password'))).toBe(200)
    await changing.auth.accounts.disable('alice', tester)
    expect(await read(basic('alice', 'another password'))).toBe(401)
  })
})

describe('B2: a blob', () => {
  test('is not found in a repository that never had it, for any client', async () => {
    for (const authorization of [basic('root'), await server.bearer(['repository:root/own:pull'], 'root')]) {
      expect((await send(blobPath, basic('alice'))).status).toBe(200)
      expect((await send(`/v2/root/own/blobs/${blob.digest}`, authorization)).status).toBe(404)
      expect(
        (await send(`/v2/root/own/blobs/${blob.digest}`, authorization, { method: 'HEAD' })).status,
      ).toBe(404)
    }
  })

  test('is not found after it was deleted there, although another repository has it', async () => {
    const authorization = basic('alice')
    await pushBlob(`${server.url}/v2/alice/second`, blob, { headers: { authorization } })
    const path = `/v2/alice/second/blobs/${blob.digest}`
    expect((await send(path, authorization)).status).toBe(200)
    expect((await send(path, authorization, { method: 'DELETE' })).status).toBe(202)
    expect((await send(path, authorization)).status).toBe(404)
    expect((await send(blobPath, authorization)).status).toBe(200)
  })
})

describe('B3: an upload session', () => {
  async function open(authorization: string): Promise<string> {
    const answer = await send('/v2/alice/secret/blobs/uploads/', authorization, { method: 'POST' })
    expectStatus(answer, 202)
    return String(answer.headers.location)
  }

  test('is unknown to another user, even one who may push there', async () => {
    const location = await open(basic('alice'))
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      // For a blob that the repository has it would be 201 in any session, since it may repeat a closing PUT whose response was
      // lost.
      const path = method === 'PUT' ? `${location}?digest=${aRandomBlob().digest}` : location
      expect((await send(path, basic('root'), { method })).status).toBe(404)
      expect((await send(path, basic('bob'), { method })).status).toBe(403)
    }
    expect((await send(location, basic('alice'))).status).toBe(204)
  })

  test('is unknown in another repository of the same user', async () => {
    const location = await open(basic('alice'))
    expect((await send(location.replace('secret', 'other'), basic('alice'))).status).toBe(404)
  })

  test('continues with another credential of the same user', async () => {
    const location = await open(basic('alice'))
    const token = await server.bearer([push], 'alice')
    expect((await send(location, token, { method: 'PATCH', body: blob.bytes })).status).toBe(202)
    const closed = await send(`${location}?digest=${blob.digest}`, basic('alice'), { method: 'PUT' })
    expectStatus(closed, 201)
    expect((await send(location, token)).status).toBe(404)
  })
})
