import { describe, expect, test } from 'vitest'
import {
  type OpenAuth,
  basic,
  bobsPassword,
  openAuth,
  openAuthWithUsers,
  origin,
} from '../../../test/support/parts/open-auth.ts'
import { kyselyOf } from '../../metadata/sql/database.ts'
import type { IssuedToken } from '../identity.ts'
import type { Principal } from '../principal.ts'
import { formatScope, parseScopes } from '../../access/scope.ts'
import { tester } from '../../../test/support/parts/tester.ts'

const refused = expect.objectContaining({ code: 'UNAUTHORIZED', error: 'invalid_token' })

async function login({ auth }: OpenAuth): Promise<Principal> {
  return auth.authenticator.authenticate(basic('bob', bobsPassword), origin)
}

async function issue(open: OpenAuth, scope = '', principal?: Principal): Promise<IssuedToken> {
  return open.auth.tokens.issue({
    principal: principal ?? (await login(open)),
    scopes: parseScopes(scope),
    offline: true,
    clientId: 'docker',
  })
}

function refresh({ auth }: OpenAuth, refreshToken: string | undefined, scope = ''): Promise<IssuedToken> {
  return auth.tokens.refresh({ refreshToken: refreshToken ?? '', scopes: parseScopes(scope) }, origin)
}

describe('an issued token', () => {
  test('carries what of the request is granted, and keeps what is not with no actions', async () => {
    await using open = await openAuthWithUsers()
    const issued = await issue(open, 'repository:bob/app:pull,push repository:acme/app:pull')
    const principal = await open.auth.authenticator.authenticate(`Bearer ${issued.token}`, origin)
    expect(principal).toMatchObject({ kind: 'user', name: 'bob', scopes: issued.scopes })
    expect(issued.scopes.map(formatScope)).toEqual(['repository:bob/app:pull,push', 'repository:acme/app:'])
  })

  test('says how long it holds', async () => {
    await using open = await openAuthWithUsers({ tokenLifetimeMs: 90_500 })
    const issued = await issue(open)
    expect(issued.expiresInSeconds).toBe(90)
    expect(Math.abs(issued.issuedAt.getTime() - open.clock.now())).toBeLessThan(1_000)
  })

  test('C2: is not made for who was disabled, or changed the password, since the login', async () => {
    await using open = await openAuthWithUsers()
    const before = await login(open)
    await open.auth.accounts.setPassword('bob', 'another password', tester)
    await expect(issue(open, '', before)).rejects.toEqual(refused)
    await open.auth.accounts.disable('bob', tester)
    await expect(issue(open, '', before)).rejects.toEqual(refused)
  })
})

describe('a refresh token', () => {
  test('gets new tokens until it is revoked', async () => {
    await using open = await openAuthWithUsers()
    const { refreshToken } = await issue(open)
    open.clock.advance(24 * 60 * 60_000)
    const renewed = await refresh(open, refreshToken, 'repository:bob/app:pull')
    expect(renewed.refreshToken).toBe(refreshToken)
    expect(renewed.scopes.map(formatScope)).toEqual(['repository:bob/app:pull'])
    const { id: accountId } = (await open.auth.accounts.find('bob'))!
    const [listed] = await open.auth.refreshTokens.list(accountId)
    expect(listed).toMatchObject({ accountId, clientId: 'docker', usedAt: open.clock.now() })
    expect(await open.auth.refreshTokens.revoke(listed!.id, tester)).toBe(true)
    expect(await open.auth.refreshTokens.revoke(listed!.id, tester)).toBe(false)
    await expect(refresh(open, refreshToken)).rejects.toEqual(refused)
  })

  test('C2: takes the bearer tokens with it that were issued from it, and with it', async () => {
    await using open = await openAuthWithUsers()
    const issued = await issue(open)
    const other = await issue(open)
    const renewed = await refresh(open, issued.refreshToken)
    const enter = async (token: string) =>
      (await open.auth.authenticator.authenticate(`Bearer ${token}`, origin)).kind
    for (const { token } of [issued, renewed, other]) expect(await enter(token)).toBe('user')
    const { id: accountId } = (await open.auth.accounts.find('bob'))!
    const [listed] = await open.auth.refreshTokens.list(accountId)
    await open.auth.refreshTokens.revoke(listed!.id, tester)
    await new Promise(setImmediate)
    await expect(enter(issued.token)).rejects.toEqual(refused)
    await expect(enter(renewed.token)).rejects.toEqual(refused)
    expect(await enter(other.token)).toBe('user')
    // A second process, which has not seen these tokens before.
    const second = await open.openSecond()
    const there = (token: string) => second.authenticator.authenticate(`Bearer ${token}`, origin)
    await expect((async () => there(renewed.token))()).rejects.toEqual(refused)
    expect(await there(other.token)).toMatchObject({ credential: expect.stringMatching(/^refresh-token:/) })
  })

  test('is stored as a hash only', async () => {
    await using open = await openAuthWithUsers()
    const { refreshToken } = await issue(open)
    const rows = await kyselyOf(open.metadata.reader).selectFrom('refresh_token').selectAll().execute()
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(refreshToken)
    await refresh(open, refreshToken)
    await open.audit.flush()
    expect(JSON.stringify(await open.audit.search({ filter: {}, limit: 10 }))).not.toContain(refreshToken)
  })

  test.each(['disable', 'setPassword'] as const)('C2: ends with %s', async (change) => {
    await using open = await openAuthWithUsers()
    const { refreshToken } = await issue(open)
    if (change === 'disable') await open.auth.accounts.disable('bob', tester)
    else await open.auth.accounts.setPassword('bob', 'another password', tester)
    if (change === 'disable') await open.auth.accounts.enable('bob', tester)
    await expect(refresh(open, refreshToken)).rejects.toEqual(refused)
  })

  test('is given to nobody who has not asked, or came with a token', async () => {
    await using open = await openAuthWithUsers()
    const { token } = await issue(open)
    const holder = await open.auth.authenticator.authenticate(`Bearer ${token}`, origin)
    expect((await issue(open, '', holder)).refreshToken).toBeUndefined()
    const unasked = { principal: await login(open), scopes: [], offline: false, clientId: undefined }
    expect((await open.auth.tokens.issue(unasked)).refreshToken).toBeUndefined()
  })

  test('is neither given nor taken where the configuration has none', async () => {
    await using open = await openAuthWithUsers({ refreshTokens: false })
    expect((await issue(open)).refreshToken).toBeUndefined()
    await expect(refresh(open, 'anything')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })

  test.each(['', 'unknown'])('is not %j', async (text) => {
    await using open = await openAuth()
    await expect(refresh(open, text)).rejects.toEqual(refused)
  })

  test('stays while it is used, however many logins of jobs come after it', async () => {
    await using open = await openAuthWithUsers()
    const laptop = await issue(open)
    for (let day = 0; day < 3; day += 1) {
      for (let count = 0; count < 60; count += 1) await issue(open)
      open.clock.advance(24 * 60 * 60_000)
      await refresh(open, laptop.refreshToken)
    }
    const { id } = (await open.auth.accounts.find('bob'))!
    expect(await open.auth.refreshTokens.list(id)).toHaveLength(100)
  })

  test('gives way to newer ones: an account has a hundred', async () => {
    await using open = await openAuthWithUsers()
    const first = await issue(open)
    for (let count = 0; count < 100; count++) await issue(open)
    const { id } = (await open.auth.accounts.find('bob'))!
    expect(await open.auth.refreshTokens.list(id)).toHaveLength(100)
    await expect(refresh(open, first.refreshToken)).rejects.toEqual(refused)
  })
})
