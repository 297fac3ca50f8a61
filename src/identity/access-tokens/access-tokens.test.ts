import { describe, expect, test } from 'vitest'
import { type OpenAuth, openAuthWithUsers, origin } from '../../../test/support/parts/open-auth.ts'
import { tester } from '../../../test/support/parts/tester.ts'
import { actorOf } from '../actor.ts'
import type { AccountPrincipal } from '../principal.ts'
import { parseRepositoryPattern } from '../../access/patterns/repository-pattern.ts'
import { maxTokensPerAccount, type AccessTokenRequest } from './access-tokens.ts'

const hourMs = 60 * 60_000
const dayMs = 24 * hourMs

async function openWithBob(): Promise<OpenAuth & { readonly bob: number }> {
  const open = await openAuthWithUsers()
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
  return actorOf(principal, origin)
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

  test('have a limit, which counts active ones only', async () => {
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

  test('C5: are not made with an access token, for any account', async () => {
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
    await expect(accessTokens.create(robot.id, { name: 'ci' }, actor)).rejects.toEqual(refused)
    expect(await accessTokens.list({ accountId: robot.id, limit: 5 })).toEqual([])
  })
})

describe('the rotation of an access token', () => {
  test('ends no later than the latest valid date', async () => {
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

  test('makes a similar one, and keeps the old one active for a time', async () => {
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

  test('is possible at the limit: replaced tokens do not count', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const { token } = await accessTokens.create(open.bob, { name: 'ci' }, tester)
    for (let count = 1; count < maxTokensPerAccount; count += 1) {
      await accessTokens.create(open.bob, { name: `other ${count}` }, tester)
    }
    const rotated = await accessTokens.rotate(token.id, { overlapMs: hourMs }, tester)
    // The replaced token is still valid and counts, so another rotation exceeds the limit until that token ends.
    const again = accessTokens.rotate(rotated.token.id, { overlapMs: hourMs }, tester)
    await expect(again).rejects.toMatchObject({ name: 'TooManyAccessTokensError' })
    open.clock.advance(hourMs)
    await accessTokens.rotate(rotated.token.id, { overlapMs: hourMs }, tester)
  })

  test('ends the old one at once without an overlap, and does not reactivate an ended one', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const old = await accessTokens.create(open.bob, { name: 'ci' }, tester)
    const rotated = await accessTokens.rotate(old.token.id, { overlapMs: 0 }, tester)
    expect(rotated.token.expiresAt).toBeUndefined()
    expect((await accessTokens.find(old.token.id))?.revokedAt).toBe(open.clock.now())
    const again = accessTokens.rotate(old.token.id, { overlapMs: hourMs }, tester)
    await expect(again).rejects.toMatchObject({ name: 'AccessTokenUnknownError' })
    await expect(accessTokens.rotate(1_000_000, { overlapMs: 0 }, tester)).rejects.toThrow(
      'access token 1000000 does not exist',
    )
  })

  test('renews the whole lifetime, even of a token that was already replaced', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const expiresAt = open.clock.now() + 90 * dayMs
    const { token } = await accessTokens.create(open.bob, { name: 'ci', expiresAt }, tester)
    const first = await accessTokens.rotate(token.id, { overlapMs: 12 * hourMs }, tester)
    open.clock.advance(hourMs)
    const second = await accessTokens.rotate(token.id, { overlapMs: 12 * hourMs }, tester)
    const end = open.clock.now() + 90 * dayMs
    expect(second.token.expiresAt).toBe(end)
    const third = await accessTokens.rotate(second.token.id, { overlapMs: 0 }, tester)
    expect(third.token.expiresAt).toBe(end)
    expect(await accessTokens.find(first.token.id)).toMatchObject({ revokedAt: undefined })
    const [event] = await open.audit.search({ filter: { action: 'access-token.rotate' }, limit: 1 })
    expect(event?.detail).toMatchObject({
      token: third.token.id,
      replaces: second.token.id,
      expiresAt: new Date(end).toISOString(),
    })
  })

  test('C5: by the token itself does not extend its expiry, and keeps its lifetime for a later rotation by a person', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const expiresAt = open.clock.now() + 30 * dayMs
    const { token } = await accessTokens.create(open.bob, { name: 'ci', expiresAt }, tester)
    open.clock.advance(dayMs)
    const itself = bobWith(open.bob, `access-token:${token.id}`)
    const rotated = await accessTokens.rotate(token.id, { overlapMs: hourMs }, itself)
    expect(rotated.token).toMatchObject({ expiresAt, createdBy: 'operator' })
    const again = await accessTokens.rotate(token.id, { overlapMs: 2 * hourMs }, itself)
    expect(again.token.expiresAt).toBe(open.clock.now() + hourMs)
    const renewed = await accessTokens.rotate(again.token.id, { overlapMs: 0 }, tester)
    expect(renewed.token.expiresAt).toBe(open.clock.now() + 30 * dayMs)
  })
})

describe('the lineage of an access token', () => {
  async function openWithLineage() {
    const open = await openWithBob()
    const { accessTokens } = open.auth
    const { token } = await accessTokens.create(open.bob, { name: 'ci' }, tester)
    const rotateItself = async (id: number) =>
      (await accessTokens.rotate(id, { overlapMs: hourMs }, bobWith(open.bob, `access-token:${id}`))).token.id
    const second = await rotateItself(token.id)
    const ids = [token.id, second, await rotateItself(second)]
    const states = () =>
      Promise.all(ids.map(async (id) => (await accessTokens.find(id))?.revokedAt !== undefined))
    return { ...open, accessTokens, ids, states }
  }

  test.each([0, 1, 2])('C2: ends as a whole with its secret %i', async (index) => {
    await using open = await openWithLineage()
    expect(await open.accessTokens.revoke(open.ids[index]!, tester)).toBe(true)
    expect(await open.states()).toEqual([true, true, true])
    expect(await open.accessTokens.revoke(open.ids[index]!, tester)).toBe(false)
  })

  test('C2: ends with the first secret after a rotation without an overlap', async () => {
    await using open = await openWithBob()
    const { accessTokens } = open.auth
    const { token } = await accessTokens.create(open.bob, { name: 'ci' }, tester)
    const itself = bobWith(open.bob, `access-token:${token.id}`)
    const next = await accessTokens.rotate(token.id, { overlapMs: 0 }, itself)
    expect(await accessTokens.revoke(token.id, tester)).toBe(true)
    expect((await accessTokens.find(next.token.id))?.revokedAt).toBe(open.clock.now())
  })

  test('is replaced as a whole by a person, and the replacement stays when it is revoked', async () => {
    await using open = await openWithLineage()
    const { token } = await open.accessTokens.rotate(open.ids[2]!, { overlapMs: hourMs }, tester)
    const end = open.clock.now() + hourMs
    for (const id of open.ids) expect((await open.accessTokens.find(id))?.expiresAt).toBe(end)
    await open.accessTokens.revoke(open.ids[0]!, tester)
    expect((await open.accessTokens.find(token.id))?.revokedAt).toBeUndefined()
  })

  test('C2: ends with all tokens that its maker made, for robots too', async () => {
    await using open = await openWithBob()
    const { accessTokens, robots } = open.auth
    const robot = await robots.create('bob+ci', tester)
    const [bob, root] = [bobWith(open.bob, 'password'), tester]
    const { token } = await accessTokens.create(robot.id, { name: 'by bob' }, bob)
    const itself = { id: `robot:${robot.id}`, name: 'bob+ci', credential: `access-token:${token.id}` }
    await accessTokens.rotate(token.id, { overlapMs: hourMs }, itself)
    const other = await accessTokens.create(robot.id, { name: 'by root' }, root)
    expect(await accessTokens.revokeAll(open.bob, tester)).toBe(2)
    const left = await accessTokens.list({ accountId: robot.id, limit: 9 })
    const active = left.filter(({ revokedAt }) => revokedAt === undefined)
    expect(active.map(({ id }) => id)).toEqual([other.token.id])
  })
})
