import { createHmac, generateKeyPairSync } from 'node:crypto'
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  importJWK,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { describe, expect, test } from 'vitest'
import { installationId, openAuth, origin, type OpenAuth } from '../../../test/support/parts/open-auth.ts'
import { findActiveKey, insertSigningKey } from '../../metadata/identity/signing-keys.ts'
import { anonymous, type Principal } from '../principal.ts'
import { parseScopes } from '../../access/scope.ts'
import { createTokenVerifier } from './token-verifier.ts'

const refused = expect.objectContaining({ code: 'UNAUTHORIZED', error: 'invalid_token' })

async function authenticate({ auth }: Pick<OpenAuth, 'auth'>, token: string): Promise<Principal> {
  return auth.authenticator.authenticate(`Bearer ${token}`, origin)
}

async function issue({ auth }: Pick<OpenAuth, 'auth'>, principal: Principal = anonymous): Promise<string> {
  const scopes = parseScopes('registry:catalog:*')
  return (await auth.tokens.issue({ principal, scopes, offline: false, clientId: undefined })).token
}

/** Signs, with the installation's own key, claims that the registry itself would never write. */
async function forge(
  open: OpenAuth,
  changes: { header?: Record<string, unknown>; payload?: Record<string, unknown> },
): Promise<string> {
  const genuine = await issue(open)
  const active = (await findActiveKey(open.metadata.reader))!
  const header = { ...decodeProtectedHeader(genuine), alg: 'EdDSA', ...changes.header }
  return new SignJWT({ ...decodeJwt(genuine), ...changes.payload })
    .setProtectedHeader(header)
    .sign(await importJWK(JSON.parse(active.privateKey) as object, 'EdDSA'))
}

describe('a bearer token', () => {
  test('is accepted if the registry has issued it', async () => {
    await using open = await openAuth()
    const token = await issue(open)
    expect(await authenticate(open, token)).toEqual({
      kind: 'anonymous',
      scopes: [{ type: 'registry', name: 'catalog', actions: ['*'] }],
    })
    expect(decodeJwt(token)).toMatchObject({ iss: installationId, aud: 'lading', sub: 'anonymous' })
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'EdDSA', typ: 'JWT', kid: expect.any(String) })
    expect(await authenticate(open, await forge(open, {}))).toMatchObject({ kind: 'anonymous' })
  })

  test.each(['', 'x', 'a.b', 'a.b.c', '...', 'eyJhbGciOiJFZERTQSJ9..', 'e30.e30.e30', 'a.b.c.d.e'])(
    'is not %j',
    async (token) => {
      await using open = await openAuth()
      await expect(authenticate(open, token)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    },
  )

  test('C1: is refused without a signature, with a truncated one and with another payload', async () => {
    await using open = await openAuth()
    const token = await issue(open)
    const [header = '', payload = '', signature = ''] = token.split('.')
    const other = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'user:1' })).toString('base64url')
    const unsecured = new UnsecuredJWT({ ...decodeJwt(token), sub: 'user:1' }).encode()
    const none = Buffer.from(JSON.stringify({ ...decodeProtectedHeader(token), alg: 'none' })).toString(
      'base64url',
    )
    for (const forged of [
      unsecured,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(0, -4)}`,
      `${header}.${other}.${signature}`,
    ]) {
      await expect(authenticate(open, forged)).rejects.toEqual(refused)
    }
  })

  test.each(['HS256', 'HS384', 'HS512'])(
    'C1: is refused when signed by %s with the public key as secret',
    async (alg) => {
      await using open = await openAuth()
      const token = await issue(open)
      const [key] = await open.auth.keys.list()
      const jwk = JSON.parse(key!.publicKey) as { x: string }
      for (const secret of [key!.publicKey, jwk.x, Buffer.from(jwk.x, 'base64url')]) {
        const header = Buffer.from(JSON.stringify({ ...decodeProtectedHeader(token), alg })).toString(
          'base64url',
        )
        const text = `${header}.${token.split('.')[1]}`
        const signature = createHmac(alg.replace('HS', 'sha'), secret).update(text).digest('base64url')
        await expect(authenticate(open, `${text}.${signature}`)).rejects.toEqual(refused)
      }
    },
  )

  test.each(['jwk', 'jku', 'x5u', 'x5c'])('C1: is not verified with its own key in %s', async (field) => {
    await using open = await openAuth()
    const genuine = await issue(open)
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const jwk = await exportJWK(publicKey)
    const value = { jwk, jku: 'http://127.0.0.1:9/keys', x5u: 'http://127.0.0.1:9/cert', x5c: [jwk.x] }
    const { kid } = decodeProtectedHeader(genuine)
    for (const id of [kid, await calculateJwkThumbprint(jwk), undefined]) {
      const header = {
        alg: 'EdDSA',
        typ: 'JWT',
        ...(id !== undefined && { kid: id }),
        [field]: value[field as 'jwk'],
      }
      const forged = await new SignJWT(decodeJwt(genuine)).setProtectedHeader(header).sign(privateKey)
      await expect(authenticate(open, forged)).rejects.toEqual(refused)
    }
  })

  test('C1: an unknown or a missing kid is refused', async () => {
    await using open = await openAuth()
    for (const kid of ['unknown', '', '../keys', "' or 1=1 --", '%', undefined]) {
      await expect(authenticate(open, await forge(open, { header: { kid } }))).rejects.toEqual(refused)
    }
  })

  const now = Math.floor(Date.now() / 1000)
  test.each<[string, Record<string, unknown>]>([
    ['another audience', { aud: 'another' }],
    ['several audiences without ours', { aud: ['another', 'lading2'] }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'installation-2' }],
    ['no issuer', { iss: undefined }],
    ['no iat', { iat: undefined }],
    ['no exp', { exp: undefined }],
    ['no nbf', { nbf: undefined }],
    ['no jti', { jti: undefined }],
    ['no sub', { sub: undefined }],
    ['its end in the past', { exp: now - 3600 }],
    ['its start in the future', { nbf: now + 36_000, exp: now + 72_000 }],
    ['a strange subject', { sub: 'user:0' }],
    ['another strange subject', { sub: 'user:1e3' }],
    ['a subject that nobody is', { sub: 'user:999' }],
    ['a strange source', { tid: '1' }],
    ['another strange source', { rid: 1.5 }],
    ['an access token of nobody', { tid: 999, sub: 'user:1' }],
    ['no credential version', { cv: undefined }],
    ['no access', { access: undefined }],
    ['strange access', { access: [{ type: 'repository', name: 'a/b', actions: 'pull' }] }],
  ])('C1: one with %s is refused', async (_name, payload) => {
    await using open = await openAuth()
    await expect(authenticate(open, await forge(open, { payload }))).rejects.toEqual(refused)
  })

  test('C1: an extension that must be understood is refused', async () => {
    await using open = await openAuth()
    const token = await issue(open)
    const header = { ...decodeProtectedHeader(token), crit: ['x'], x: 1 }
    const forged = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${token.split('.').slice(1).join('.')}`
    await expect(authenticate(open, forged)).rejects.toEqual(refused)
  })

  test('C3: an anonymous token never acts as a user', async () => {
    await using open = await openAuth()
    const scopes = parseScopes('repository:acme/private:pull,push registry:keys:* registry:catalog:*')
    const issued = await open.auth.tokens.issue({
      principal: anonymous,
      scopes,
      offline: true,
      clientId: 'keys',
    })
    expect(decodeJwt(issued.token)).toMatchObject({ aud: 'lading', sub: 'anonymous' })
    expect(issued.refreshToken).toBeUndefined()
    expect(await authenticate(open, issued.token)).toEqual({
      kind: 'anonymous',
      scopes: [
        { type: 'repository', name: 'acme/private', actions: [] },
        { type: 'registry', name: 'keys', actions: [] },
        { type: 'registry', name: 'catalog', actions: ['*'] },
      ],
    })
  })

  test("C4: two installations have different keys, and refuse each other's tokens", async () => {
    await using first = await openAuth()
    await using second = await openAuth()
    const token = await issue(first)
    await issue(second)
    const [one, other] = [await first.auth.keys.list(), await second.auth.keys.list()]
    expect([one.length, other.length]).toEqual([1, 1])
    expect(one[0]!.kid).not.toBe(other[0]!.kid)
    expect(one[0]!.publicKey).not.toBe(other[0]!.publicKey)
    await expect(authenticate(second, token)).rejects.toEqual(refused)
  })

  test('C4: the issuer must match, too, even with the right key', async () => {
    await using first = await openAuth()
    await using second = await openAuth({ installationId: 'installation-2' })
    const token = await issue(first)
    const { kid, privateKey } = (await findActiveKey(first.metadata.reader))!
    const publicKey = (await first.auth.keys.list())[0]!.publicKey
    await second.metadata.transact((tx) =>
      insertSigningKey(tx, { kid, publicKey, privateKey, now: 1, verifyUntil: 1 }),
    )
    await expect(authenticate(second, token)).rejects.toEqual(refused)
  })
})

test('a repeated token of another registry costs no search for its key', async () => {
  await using open = await openAuth()
  const { keys } = open.auth
  let searches = 0
  const counted = {
    isValid: (kid: string) => keys.isValid(kid),
    find: (kid: string) => {
      searches += 1
      return keys.find(kid)
    },
  }
  const verifier = createTokenVerifier({ keys: counted, clock: open.clock, issuer: installationId })
  await verifier.verify(await issue(open))
  expect(searches).toBe(1)
  const foreign = await forge(open, { header: { kid: 'elsewhere' }, payload: { iss: 'elsewhere' } })
  for (let count = 0; count < 3; count += 1) {
    await expect(verifier.verify(foreign)).rejects.toMatchObject({ isForeign: true })
  }
  expect(searches).toBe(1)
})
