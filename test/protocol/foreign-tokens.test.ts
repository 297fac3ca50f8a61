/** Credentials that this registry did not issue, beside its own, in each mode of `auth.anonymous`. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateToken } from '../../src/identity/access-tokens/token-format.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { basic, openIdentityServer } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { anImageManifest, pushImage } from '../support/content/manifests.ts'
import { aRandomBlob } from '../support/content/random.ts'

type Mode = 'none' | 'pull' | 'push'

const image = anImageManifest()
const uploads = 'blobs/uploads/'
const absent = aRandomBlob()
const requests = {
  ping: ['GET', ''],
  catalog: ['GET', '_catalog'],
  'pull of public': ['GET', 'alice/public/manifests/latest'],
  'HEAD of a blob of public': ['HEAD', `alice/public/blobs/${image.blobs[0]?.digest}`],
  'pull of private': ['GET', 'alice/private/manifests/latest'],
  'pull of absent': ['GET', 'alice/absent/manifests/latest'],
  'push to public': ['POST', `alice/public/${uploads}`],
  'push of a manifest to public': ['PUT', 'alice/public/manifests/v2'],
  'push to private': ['POST', `alice/private/${uploads}`],
  'deletion in public': ['DELETE', `alice/public/blobs/${absent.digest}`],
} as const

type Request = keyof typeof requests
const reads = new Set<Request>([
  'catalog',
  'pull of public',
  'HEAD of a blob of public',
  'pull of private',
  'pull of absent',
])

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const elsewhere = generateKeyPairSync('ed25519')

/** Signs a token as another registry would; the claims may name this registry. */
function signElsewhere(claims: Record<string, unknown>, kid: string = randomUUID()): string {
  const now = Math.floor(Date.now() / 1000)
  const times = { iat: now, nbf: now - 30, exp: now + 900, jti: randomUUID() }
  const access = ['public', 'private', 'absent'].map((name) => {
    return { type: 'repository', name: `alice/${name}`, actions: ['pull', 'push', 'delete'] }
  })
  const payload = {
    iss: 'auth.example.org',
    aud: 'lading',
    sub: 'user:1',
    cv: 1,
    access,
    ...times,
    ...claims,
  }
  const input = `${encode({ alg: 'EdDSA', typ: 'JWT', kid })}.${encode(payload)}`
  return `Bearer ${input}.${sign(null, Buffer.from(input), elsewhere.privateKey).toString('base64url')}`
}

/** Tokens of other issuers. */
const foreign: Record<string, () => string> = {
  'a token of another registry': () => signElsewhere({}),
  'one that has expired': () => signElsewhere({ exp: 1_000_000 }),
  'one that is no JWT': () => `Bearer ${randomUUID()}`,
  'one that looks like a JWT and is none': () => 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc',
}

async function ownExpired(server: IdentityServer): Promise<string> {
  const token = await server.bearer(['repository:alice/public:pull,push', 'registry:catalog:*'], 'alice')
  server.registry.clock.advance(60 * 60_000)
  return token
}

/** Tokens that this registry issued or seems to have issued: the client should get a new one. */
const own: Record<string, (server: IdentityServer) => Promise<string> | string> = {
  'an own token that has expired': ownExpired,
  'an own token whose signature was cut': async (server) => {
    const token = await server.bearer(['repository:alice/public:pull'], 'alice')
    return token.slice(0, -6)
  },
  'an own anonymous token that has expired': async (server) => {
    const token = await server.bearer(['repository:alice/public:pull'])
    server.registry.clock.advance(60 * 60_000)
    return token
  },
  'an own token of a key that was removed': async (server) => {
    const token = await server.bearer(['repository:alice/public:pull'], 'alice')
    await server.auth.keys.rotate({ overlapMs: 0 }, { id: 'operator', name: 'test' })
    server.registry.clock.advance(2_000)
    return token
  },
  'an access token that nobody has': () => `Bearer ${generateToken('user')}`,
  'Basic of an unknown user': () => basic('nobody', 'nothing'),
  'Basic of a user with a wrong password': () => basic('alice', 'wrong'),
  'a header that cannot be read': () => 'Bearer a b',
  'an unknown scheme': () => 'Negotiate x',
}

function outcomeOf({ status, headers }: Answer): string {
  const [, error = ''] = /error="([a-z_]+)"/.exec(headers['www-authenticate'] ?? '') ?? []
  return `${status} ${error}`.trim()
}

describe.each(['none', 'pull', 'push'] as const satisfies Mode[])('in mode %s', (mode) => {
  let server: IdentityServer

  const send = async (request: Request, authorization?: string): Promise<Answer> => {
    const [method, path] = requests[request]
    const headers = authorization === undefined ? {} : { authorization }
    return ask(`${server.url}/v2/${path}`, { method, headers, ...(method === 'PUT' && { body: '{}' }) })
  }

  beforeAll(async () => {
    server = await openIdentityServer({ anonymous: mode })
    await server.addUser('alice')
    const headers = { authorization: basic('alice') }
    for (const visibility of ['public', 'private'] as const) {
      await server.addRepository(`alice/${visibility}`, visibility)
      await pushImage(`${server.url}/v2/alice/${visibility}`, image, { reference: 'latest', headers })
    }
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test.each(Object.keys(requests) as Request[])(
    'a foreign token is ignored where anonymous may read, and gets 401 invalid_token otherwise: %s',
    async (request) => {
      const anonymous = await send(request)
      for (const [name, make] of Object.entries(foreign)) {
        const isIgnored = reads.has(request) && ![401, 403].includes(anonymous.status)
        const answer = await send(request, make())
        expect([name, outcomeOf(answer)]).toEqual([
          name,
          isIgnored ? `${anonymous.status}` : '401 invalid_token',
        ])
        expect(!isIgnored || answer.text() === anonymous.text()).toBe(true)
      }
    },
  )

  test.each(Object.keys(own))('%s gets 401 for every request', async (name) => {
    for (const request of Object.keys(requests) as Request[]) {
      const authorization = await own[name]?.(server)
      expect([request, (await send(request, authorization)).status]).toEqual([request, 401])
    }
  })

  test('a client that gets a new token after the 401 succeeds', async () => {
    const authorization = await ownExpired(server)
    const refused = await send('push to public', authorization)
    expect(outcomeOf(refused)).toBe('401 invalid_token')
    const [, scope = ''] = /scope="([^"]+)"/.exec(refused.headers['www-authenticate'] ?? '') ?? []
    expect((await send('push to public', await server.bearer([scope], 'alice'))).status).toBe(202)
  })
})
