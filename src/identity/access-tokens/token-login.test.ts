import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  type OpenAuth,
  basic,
  bobsPassword,
  openAuthWithUsers,
  origin,
} from '../../../test/support/parts/open-auth.ts'
import { tester as actor } from '../../../test/support/parts/tester.ts'
import { kyselyOf } from '../../metadata/sql/database.ts'
import type { Auth } from '../../auth.ts'
import type { Principal } from '../principal.ts'
import { parseRepositoryPattern } from '../../access/patterns/repository-pattern.ts'
import type { AccessTokenRequest } from './access-tokens.ts'
import { generateToken } from './token-format.ts'

const dayMs = 24 * 60 * 60_000
const refused = expect.objectContaining({ code: 'UNAUTHORIZED', error: undefined })
const refusedBearer = expect.objectContaining({ code: 'UNAUTHORIZED', error: 'invalid_token' })

async function authenticate({ auth }: { auth: Auth }, header: string, from = origin): Promise<Principal> {
  return auth.authenticator.authenticate(header, from)
}

interface Given extends AsyncDisposable {
  readonly open: OpenAuth
  readonly accountId: number
  readonly tokenId: number
  readonly secret: string
}

async function openWithToken(request: Partial<AccessTokenRequest> = {}): Promise<Given> {
  const open = await openAuthWithUsers()
  const accountId = (await open.auth.accounts.find('bob'))!.id
  const { token, secret } = await open.auth.accessTokens.create(
    accountId,
    { name: 'laptop', ...request },
    actor,
  )
  return {
    open,
    accountId,
    tokenId: token.id,
    secret,
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

async function bearerFrom({ open, secret }: Given): Promise<string> {
  const principal = await authenticate(open, basic('bob', secret))
  const request = { principal, scopes: [], offline: true, clientId: undefined }
  const { token, refreshToken } = await open.auth.tokens.issue(request)
  expect(refreshToken).toBeUndefined()
  return token
}

describe('an access token', () => {
  test('replaces the password, with its limits, and costs no hash', async () => {
    const patterns = [parseRepositoryPattern('bob/**')]
    await using given = await openWithToken({ actions: ['pull', 'push'], patterns })
    const { open, accountId, tokenId, secret } = given
    const before = open.hashes()
    const expected = {
      kind: 'user',
      accountId,
      name: 'bob',
      scopes: undefined,
      credential: `access-token:${tokenId}`,
      limits: { tokenId, permissions: new Set(['pull', 'push:create', 'push:update']), patterns },
    }
    expect(await authenticate(open, basic('bob', secret))).toMatchObject(expected)
    expect(await authenticate(open, `Bearer ${secret}`)).toMatchObject(expected)
    const login = { name: 'bob', password: secret }
    expect(await open.auth.authenticator.login(login, origin)).toMatchObject(expected)
    expect(open.hashes() - before).toBe(0)
  })

  test('C6: gets the same answer at the same cost for any fault', async () => {
    await using given = await openWithToken({ expiresAt: Date.now() + dayMs })
    const { open, secret, accountId, tokenId } = given
    const headers = [
      basic('bob', generateToken('user')),
      basic('nobody', generateToken('user')),
      basic('root', secret),
      basic('Bob', secret),
    ]
    const before = open.hashes()
    const errors = new Set<string>()
    const tryAll = async (): Promise<void> => {
      for (const header of headers) {
        errors.add(await authenticate(open, header).then(String, (error: unknown) => String(error)))
      }
    }
    await tryAll()
    const revoked = await open.auth.accessTokens.create(accountId, { name: 'old' }, actor)
    await open.auth.accessTokens.revoke(revoked.token.id, actor)
    open.clock.advance(2 * dayMs)
    headers.splice(0, headers.length, basic('bob', secret), basic('bob', revoked.secret))
    await tryAll()
    expect(errors.size).toBe(1)
    expect([...errors][0]).toContain('the access token has expired, was revoked')
    expect(open.hashes()).toBe(before)
    await open.audit.flush()
    const events = await open.audit.search({ filter: { action: 'login' }, limit: 20 })
    expect(events.map(({ outcome }) => outcome).toReversed()).toEqual([
      'unknown',
      'unknown',
      'unknown',
      'unknown',
      'expired',
      'revoked',
    ])
    expect(events[1]?.actor.credential).toBe(`access-token:${tokenId}`)
  })

  test('delays addresses that try many', async () => {
    await using given = await openWithToken()
    for (let count = 0; count < 6; count++) {
      await expect(authenticate(given.open, basic('bob', generateToken('user')))).rejects.toEqual(refused)
    }
    expect(given.open.delays.length).toBeGreaterThan(0)
  })

  test('that is malformed is checked as a password', async () => {
    await using given = await openWithToken()
    const before = given.open.hashes()
    const mistyped = given.secret.slice(0, -1)
    await expect(authenticate(given.open, basic('bob', mistyped))).rejects.toEqual(refused)
    expect(given.open.hashes() - before).toBe(1)
  })

  test('is refused from the next request after its revocation, in other processes too', async () => {
    await using given = await openWithToken()
    const { open, secret, tokenId } = given
    const second = { auth: await open.openSecond() }
    const bearer = `Bearer ${await bearerFrom(given)}`
    for (const process of [open, second]) {
      for (const header of [basic('bob', secret), bearer]) {
        expect(await authenticate(process, header)).toMatchObject({ name: 'bob' })
      }
    }
    expect(await open.auth.accessTokens.revoke(tokenId, actor)).toBe(true)
    for (const process of [open, second]) {
      await expect(authenticate(process, basic('bob', secret))).rejects.toEqual(refused)
      await expect(authenticate(process, `Bearer ${secret}`)).rejects.toEqual(refusedBearer)
      await expect(authenticate(process, bearer)).rejects.toEqual(refusedBearer)
    }
  })

  test('ends at its expiry, and so do the bearer tokens issued from it', async () => {
    await using given = await openWithToken({ expiresAt: Date.now() + dayMs })
    const { open, secret } = given
    open.clock.advance(dayMs - 60_000)
    const token = await bearerFrom(given)
    const { exp = 0, iat = 0 } = decodeJwt(token)
    expect(exp - iat).toBeLessThanOrEqual(60)
    for (const header of [basic('bob', secret), `Bearer ${token}`]) {
      expect(await authenticate(open, header)).toMatchObject({ name: 'bob' })
    }
    open.clock.advance(60_000)
    await expect(authenticate(open, basic('bob', secret))).rejects.toEqual(refused)
    await expect(authenticate(open, `Bearer ${token}`)).rejects.toEqual(refusedBearer)
  })

  test('C5: a bearer token that was issued from it has its limits', async () => {
    await using given = await openWithToken({ actions: ['pull'] })
    const principal = await authenticate(given.open, `Bearer ${await bearerFrom(given)}`)
    expect(principal).toMatchObject({
      credential: `access-token:${given.tokenId}`,
      limits: { permissions: new Set(['pull']) },
    })
  })

  test('C2: survives a new password, but its bearer tokens end; both end with the account', async () => {
    await using given = await openWithToken()
    const { open, secret } = given
    const bearer = `Bearer ${await bearerFrom(given)}`
    await open.auth.accounts.setPassword('bob', 'another password', actor)
    expect(await authenticate(open, basic('bob', secret))).toMatchObject({ name: 'bob' })
    await expect(authenticate(open, bearer)).rejects.toEqual(refusedBearer)
    const next = `Bearer ${await bearerFrom(given)}`
    await open.auth.accounts.disable('bob', actor)
    await expect(authenticate(open, basic('bob', secret))).rejects.toEqual(refused)
    await expect(authenticate(open, next)).rejects.toEqual(refusedBearer)
  })

  test('C2: gets no bearer token when it was revoked since the login', async () => {
    await using given = await openWithToken()
    const principal = await authenticate(given.open, basic('bob', given.secret))
    await given.open.auth.accessTokens.revoke(given.tokenId, actor)
    const request = { principal, scopes: [], offline: false, clientId: undefined }
    await expect(given.open.auth.tokens.issue(request)).rejects.toEqual(refusedBearer)
  })

  test('is recorded as used once an hour, without delaying requests', async () => {
    await using given = await openWithToken()
    const { open, secret, tokenId } = given
    const usedAt = async (): Promise<number | undefined> => {
      await open.auth.flush()
      // A result confirmed in this turn of the event loop is not queried again.
      await nextTurn()
      return (await open.auth.accessTokens.find(tokenId))?.usedAt
    }
    expect(await usedAt()).toBeUndefined()
    const first = open.clock.now()
    await authenticate(open, basic('bob', secret))
    expect(await usedAt()).toBe(first)
    open.clock.advance(59 * 60_000)
    await authenticate(open, basic('bob', secret))
    expect(await usedAt()).toBe(first)
    open.clock.advance(60_000)
    await authenticate(open, basic('bob', secret))
    expect(await usedAt()).toBe(open.clock.now())
  })

  test('G1: is in no row, no event and no error', async () => {
    await using given = await openWithToken()
    const { open, secret, tokenId } = given
    await authenticate(open, basic('bob', secret))
    const error: unknown = await authenticate(open, basic('eve', secret)).catch((caught: unknown) => caught)
    await open.auth.accessTokens.revoke(tokenId, actor)
    await open.audit.flush()
    const rows = await kyselyOf(open.metadata.reader).selectFrom('access_token').selectAll().execute()
    const events = await open.audit.search({ filter: {}, limit: 100 })
    expect(events.map(({ action }) => action)).toContain('access-token.revoke')
    const text = JSON.stringify([rows, events]) + (error instanceof Error ? error.stack : '')
    expect(text).not.toContain(secret.slice(5, 35))
  })
})

describe('a robot', () => {
  test('B4: has no password: every password is refused, and its name costs a hash like any other', async () => {
    await using given = await openWithToken()
    const { open } = given
    await open.auth.robots.create('bob+ci', actor)
    for (const password of ['', ' ', bobsPassword, 'null']) {
      const before = open.hashes()
      await expect(authenticate(open, basic('bob+ci', password))).rejects.toEqual(refused)
      expect(open.hashes() - before).toBe(1)
    }
  })

  test('C2: of a user is out while that one is disabled, by bearer too', async () => {
    await using open = await openAuthWithUsers()
    const { accounts, robots, accessTokens, tokens } = open.auth
    const { id } = await robots.create('bob+ci', actor)
    const { secret } = await accessTokens.create(id, { name: 'ci' }, actor)
    const authorization = basic('bob+ci', secret)
    const principal = await authenticate(open, authorization)
    const request = { principal, scopes: [], offline: false, clientId: undefined }
    const bearer = `Bearer ${(await tokens.issue(request)).token}`
    expect(await authenticate(open, bearer)).toMatchObject({ name: 'bob+ci' })
    await accounts.disable('bob', actor)
    await nextTurn()
    await expect(authenticate(open, authorization)).rejects.toEqual(refused)
    await expect(authenticate(open, bearer)).rejects.toEqual(refusedBearer)
    await expect(tokens.issue(request)).rejects.toEqual(refusedBearer)
    await accounts.enable('bob', actor)
    expect(await authenticate(open, authorization)).toMatchObject({ name: 'bob+ci' })
  })

  test('C2: logs in with its token until it is disabled, by bearer too', async () => {
    await using given = await openWithToken()
    const { open } = given
    const { id } = await open.auth.robots.create('bob+ci', actor)
    const { secret } = await open.auth.accessTokens.create(id, { name: 'ci' }, actor)
    expect(secret).toMatch(/^ladr_/)
    const principal = await authenticate(open, basic('bob+ci', secret))
    expect(principal).toMatchObject({ kind: 'robot', accountId: id, name: 'bob+ci', isAdmin: false })
    const request = { principal, scopes: [], offline: false, clientId: undefined }
    const { token } = await open.auth.tokens.issue(request)
    expect(decodeJwt(token).sub).toBe(`robot:${id}`)
    expect(await authenticate(open, `Bearer ${token}`)).toMatchObject({ kind: 'robot', name: 'bob+ci' })
    await expect(authenticate(open, basic('bob', secret))).rejects.toEqual(refused)
    await open.auth.robots.disable('bob+ci', actor)
    await expect(authenticate(open, basic('bob+ci', secret))).rejects.toEqual(refused)
    await expect(authenticate(open, `Bearer ${token}`)).rejects.toEqual(refusedBearer)
    await open.auth.robots.enable('bob+ci', actor)
    expect(await authenticate(open, basic('bob+ci', secret))).toMatchObject({ name: 'bob+ci' })
    await open.auth.robots.delete('bob+ci', actor)
    await expect(authenticate(open, basic('bob+ci', secret))).rejects.toEqual(refused)
  })
})
