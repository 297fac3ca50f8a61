import { describe, expect, test } from 'vitest'
import { basic, bobsPassword, openAuthWithUsers, origin } from '../../../test/support/parts/open-auth.ts'
import { tester } from '../../../test/support/parts/tester.ts'
import { kyselyOf } from '../../metadata/sql/database.ts'
import { formatEndedCookie, readSessionCookie } from './session-cookie.ts'
import type { BegunSession } from './sessions.ts'

const hourMs = 60 * 60_000
const bob = { name: 'bob', password: bobsPassword }

/** The `Cookie` header that the browser sends back. */
function cookieOf(session: BegunSession): string {
  return session.cookie({ secure: true }).split(';', 1).join('')
}

describe('a session', () => {
  test('begins with a password and is carried by its cookie', async () => {
    await using open = await openAuthWithUsers()
    const begun = await open.auth.sessions.login(bob, origin)
    expect(begun.principal).toMatchObject({ kind: 'user', name: 'bob', credential: `session:${begun.id}` })
    const found = await open.auth.sessions.find(`theme=dark; ${cookieOf(begun)}`)
    expect(found).toEqual({
      id: begun.id,
      principal: begun.principal,
      csrfToken: begun.csrfToken,
      expiresAt: open.clock.now() + 7 * 24 * hourMs,
    })
    expect(await open.auth.sessions.find(undefined)).toBeUndefined()
    expect(await open.auth.sessions.find('lading_session=made-up')).toBeUndefined()
  })

  test('G4: its cookie is for this registry alone, and no script reads it', async () => {
    await using open = await openAuthWithUsers()
    const begun = await open.auth.sessions.login(bob, origin)
    const attributes = 'Path=/; Max-Age=604800; HttpOnly; SameSite=Lax'
    expect(begun.cookie({ secure: false })).toMatch(
      new RegExp(`^lading_session=[A-Za-z0-9_-]{43}; ${attributes}$`),
    )
    expect(begun.cookie({ secure: true })).toMatch(/; SameSite=Lax; Secure$/)
    expect(formatEndedCookie({ secure: false })).toBe(
      'lading_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax',
    )
  })

  test('G4: has a new id with each login, and of two cookies none counts', async () => {
    await using open = await openAuthWithUsers()
    const [first, second] = [
      await open.auth.sessions.login(bob, origin),
      await open.auth.sessions.login(bob, origin),
    ]
    expect(cookieOf(first)).not.toBe(cookieOf(second))
    expect(first.csrfToken).not.toBe(second.csrfToken)
    expect(await open.auth.sessions.find(`${cookieOf(first)}; ${cookieOf(second)}`)).toBeUndefined()
    expect(readSessionCookie('other_lading_session=x; lading_session2=y')).toBeUndefined()
  })

  test('C5: does not begin with an access token, which it would outlive', async () => {
    await using open = await openAuthWithUsers()
    const { id } = (await open.auth.accounts.find('bob'))!
    const { secret } = await open.auth.accessTokens.create(id, { name: 'laptop' }, tester)
    const attempt = open.auth.sessions.login({ name: 'bob', password: secret }, origin)
    await expect(attempt).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect(await open.auth.sessions.list(id)).toEqual([])
  })

  test('does not outlive the correction of a clock that was years ahead', async () => {
    await using open = await openAuthWithUsers()
    const yearMs = 365 * 24 * 60 * 60_000
    open.clock.advance(10 * yearMs)
    const cookie = cookieOf(await open.auth.sessions.login(bob, origin))
    expect(await open.auth.sessions.find(cookie)).toBeDefined()
    open.clock.advance(-10 * yearMs)
    expect(await open.auth.sessions.find(cookie)).toBeUndefined()
  })

  test('ends when it is idle, and however busy after a week', async () => {
    await using open = await openAuthWithUsers()
    const cookie = cookieOf(await open.auth.sessions.login(bob, origin))
    const holds = async (): Promise<boolean> => {
      const found = await open.auth.sessions.find(cookie)
      await open.auth.flush()
      return found !== undefined
    }
    for (let hours = 0; hours < 7 * 24; hours += 8) {
      expect(await holds()).toBe(true)
      open.clock.advance(8 * hourMs)
    }
    expect(await holds()).toBe(false)
    const idle = cookieOf(await open.auth.sessions.login(bob, origin))
    open.clock.advance(12 * hourMs)
    expect(await open.auth.sessions.find(idle)).toBeUndefined()
  })

  test.each(['disable', 'setPassword'] as const)(
    'C2: ends with %s, in other processes too',
    async (change) => {
      await using open = await openAuthWithUsers()
      const second = await open.openSecond()
      const cookie = cookieOf(await open.auth.sessions.login(bob, origin))
      expect(await second.sessions.find(cookie)).toBeDefined()
      if (change === 'disable') await open.auth.accounts.disable('bob', tester)
      else await open.auth.accounts.setPassword('bob', 'another password', tester)
      expect(await second.sessions.find(cookie)).toBeUndefined()
      if (change === 'disable') await open.auth.accounts.enable('bob', tester)
      expect(await open.auth.sessions.find(cookie)).toBeUndefined()
    },
  )

  test('is listed and ended by whose it is', async () => {
    await using open = await openAuthWithUsers()
    const { sessions, accounts } = open.auth
    const begun = await sessions.login(bob, origin)
    const [bobsId, rootsId] = [(await accounts.find('bob'))!.id, (await accounts.find('root'))!.id]
    expect(await sessions.list(bobsId)).toMatchObject([
      { id: begun.id, address: origin.address, client: 'test' },
    ])
    expect(await sessions.end(begun.id, tester, rootsId)).toBe(false)
    expect(await sessions.end(begun.id, tester, bobsId)).toBe(true)
    expect(await sessions.find(cookieOf(begun))).toBeUndefined()
    expect(await sessions.end(begun.id, tester)).toBe(false)
    expect(await open.audit.search({ filter: { action: 'session.end' }, limit: 5 })).toMatchObject([
      { target: { kind: 'user', name: 'bob' }, detail: { session: begun.id } },
    ])
  })

  test('G1: is stored as a hash, and in no event', async () => {
    await using open = await openAuthWithUsers()
    const begun = await open.auth.sessions.login(bob, origin)
    await open.auth.sessions.end((await open.auth.sessions.login(bob, origin)).id, tester)
    await open.audit.flush()
    const rows = await kyselyOf(open.metadata.reader).selectFrom('browser_session').selectAll().execute()
    const text = JSON.stringify([rows, await open.audit.search({ filter: {}, limit: 50 })])
    expect(text).toContain('session.end')
    expect(text).not.toContain(cookieOf(begun).slice('lading_session='.length))
    expect(text).not.toContain(begun.csrfToken)
  })

  test('C6: a wrong password costs and hears what it does elsewhere', async () => {
    await using open = await openAuthWithUsers()
    const before = open.hashes()
    const attempt = open.auth.sessions.login({ name: 'nobody', password: 'wrong one' }, origin)
    const elsewhere = async () => open.auth.authenticator.authenticate(basic('nobody', 'wrong two'), origin)
    const messages = await Promise.all(
      [attempt, elsewhere()].map((login) => login.then(String, (error: unknown) => String(error))),
    )
    expect(new Set(messages).size).toBe(1)
    expect(open.hashes() - before).toBe(2)
  })
})
