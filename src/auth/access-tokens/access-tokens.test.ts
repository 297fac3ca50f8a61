import { describe, expect, test } from 'vitest'
import { addUsers, openAuth, origin, type OpenAuth } from '../../../test/support/open-auth.ts'
import { tester } from '../../../test/support/tester.ts'
import { actorOf } from '../actor.ts'
import type { AccountPrincipal } from '../principal.ts'
import { parseRepositoryPattern } from '../repository-pattern.ts'
import { maxTokensPerAccount, type AccessTokenRequest } from './access-tokens.ts'

const hourMs = 60 * 60_000
const dayMs = 24 * hourMs

async function openWithBob(): Promise<OpenAuth & { readonly bob: number }> {
  const open = await openAuth()
  await addUsers(open)
  return { ...open, bob: (await open.auth.accounts.find('bob'))!.id }
}

function bobWith(accountId: number, credential: string) {
  const principal: AccountPrincipal = {
    kind: 'user',
    accountId,
    name: 'bob',
    isAdmin: false,
    scopes: undefined,
    credential,
  }
  return actorOf(principal, { origin })
}

describe('access tokens', () => {
  test('are made, listed and found without their secret', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const request = {
      name: ' laptop ',
      actions: ['pull', 'push'] as const,
      patterns: [parseRepositoryPattern('bob/**')],
      expiresAt: open.clock.now() + dayMs,
    }
    const { token, secret } = await accessTokens.create(open.bob, request, tester)
    expect(token).toEqual({
      ...request,
      id: expect.any(Number),
      accountId: open.bob,
      name: 'laptop',
      hint: secret.slice(-4),
      createdAt: open.clock.now(),
      createdBy: 'operator',
      usedAt: undefined,
      revokedAt: undefined,
    })
    expect(await accessTokens.list({ accountId: open.bob, limit: 5 })).toEqual([token])
    expect(await accessTokens.find(token.id)).toEqual(token)
    expect(await open.audit.search({ filter: { action: 'access-token.create' }, limit: 5 })).toMatchObject([
      { target: { kind: 'user', name: 'bob' }, detail: { token: token.id, repositories: ['bob/**'] } },
    ])
  })

  test.each<[string, Partial<AccessTokenRequest>]>([
    ['without a name', { name: ' ' }],
    ['with a long name', { name: 'x'.repeat(101) }],
    ['with a name in two lines', { name: 'a\nb' }],
    ['for no action', { actions: [] }],
    ['for no repository', { patterns: [] }],
    ['that has expired', { expiresAt: 1 }],
    ['that expires never and nowhere', { expiresAt: Number.NaN }],
  ])('are not made %s', async (_, change) => {
    await using open = await openWithBob()
    const made = open.auth.accessTokens.create(open.bob, { name: 'laptop', ...change }, tester)
    await expect(made).rejects.toMatchObject({ name: 'AccessTokenRefusedError' })
  })

  test('are so many at most, of those that hold', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const create = () => accessTokens.create(open.bob, { name: 'one' }, tester)
    const first = await create()
    for (let count = 1; count < maxTokensPerAccount; count++) await create()
    await expect(create()).rejects.toMatchObject({ name: 'TooManyAccessTokensError' })
    await accessTokens.revoke(first.token.id, tester)
    await create()
    expect(await accessTokens.revokeAll(open.bob, tester)).toBe(maxTokensPerAccount)
    await create()
  })

  test('C5: are not made with an access token of the same account', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const narrow = await accessTokens.create(open.bob, { name: 'narrow', actions: ['pull'] }, tester)
    const wide = await accessTokens.create(open.bob, { name: 'wide' }, tester)
    const actor = bobWith(open.bob, `access-token:${narrow.token.id}`)
    const refused = expect.objectContaining({ name: 'TokenForTokenError' })
    await expect(accessTokens.create(open.bob, { name: 'more' }, actor)).rejects.toEqual(refused)
    await expect(accessTokens.rotate(wide.token.id, { overlapMs: 0 }, actor)).rejects.toEqual(refused)
    await open.auth.robots.create('bob+ci', tester)
    const robot = (await open.auth.robots.find('bob+ci'))!
    expect(await accessTokens.create(robot.id, { name: 'ci' }, actor)).toMatchObject({
      token: { name: 'ci' },
    })
  })
})

describe('the rotation of an access token', () => {
  test('ends no later than what can be written', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
    const late = accessTokens.create(open.bob, { name: 'late', expiresAt: last + 1 }, tester)
    await expect(late).rejects.toThrow('after the year 9999')
    const { token } = await accessTokens.create(open.bob, { name: 'long', expiresAt: last - 1 }, tester)
    open.clock.advance(dayMs)
    const rotated = await accessTokens.rotate(token.id, { overlapMs: 0 }, tester)
    expect(rotated.token.expiresAt).toBe(last)
  })

  test('makes one like it, and lets the old one hold for a time', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const bounds = { name: 'ci', actions: ['pull'] as const, patterns: [parseRepositoryPattern('bob/*')] }
    const expiresAt = open.clock.now() + 30 * dayMs
    const old = await accessTokens.create(open.bob, { ...bounds, expiresAt }, tester)
    open.clock.advance(29 * dayMs)
    const now = open.clock.now()
    const rotated = await accessTokens.rotate(old.token.id, { overlapMs: hourMs }, tester)
    expect(rotated.secret).not.toBe(old.secret)
    expect(rotated.token).toMatchObject({ ...bounds, expiresAt: now + 30 * dayMs })
    expect(await accessTokens.find(old.token.id)).toMatchObject({ expiresAt: now + hourMs })
  })

  test('ends the old one at once without an overlap, and gives no ended one new life', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const old = await accessTokens.create(open.bob, { name: 'ci' }, tester)
    const rotated = await accessTokens.rotate(old.token.id, { overlapMs: 0 }, tester)
    expect(rotated.token.expiresAt).toBeUndefined()
    expect((await accessTokens.find(old.token.id))?.revokedAt).toBe(open.clock.now())
    const again = accessTokens.rotate(old.token.id, { overlapMs: hourMs }, tester)
    await expect(again).rejects.toMatchObject({ name: 'AccessTokenUnknownError' })
    await expect(accessTokens.rotate(1_000_000, { overlapMs: 0 }, tester)).rejects.toThrow('no access token')
  })

  test('C5: by the token itself gains it no time', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const expiresAt = open.clock.now() + 30 * dayMs
    const { token } = await accessTokens.create(open.bob, { name: 'ci', expiresAt }, tester)
    open.clock.advance(dayMs)
    const itself = bobWith(open.bob, `access-token:${token.id}`)
    const rotated = await accessTokens.rotate(token.id, { overlapMs: hourMs }, itself)
    expect(rotated.token.expiresAt).toBe(expiresAt)
  })
})
