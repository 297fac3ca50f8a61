import { describe, expect, test } from 'vitest'
import {
  type OpenAuth,
  basic,
  bobsPassword,
  openAuthWithUsers,
  origin,
} from '../../test/support/parts/open-auth.ts'
import type { Auth } from '../auth.ts'
import type { Origin } from './identity.ts'
import { anonymous, type Principal } from './principal.ts'
import { tester } from '../../test/support/parts/tester.ts'

const bob = basic('bob', bobsPassword)
const elsewhere: Origin = { address: '198.51.100.7', client: undefined }

async function authenticate(
  { auth }: { auth: Auth },
  header: string | undefined,
  from: Origin = origin,
): Promise<Principal> {
  return auth.authenticator.authenticate(header, from)
}

async function bearerOf(open: { auth: Auth }): Promise<string> {
  const principal = await authenticate(open, bob)
  const { token } = await open.auth.tokens.issue({
    principal,
    scopes: [],
    offline: false,
    clientId: undefined,
  })
  return `Bearer ${token}`
}

const refusedPassword = expect.objectContaining({ code: 'UNAUTHORIZED', error: undefined })
const refusedToken = expect.objectContaining({ code: 'UNAUTHORIZED', error: 'invalid_token' })

describe('the authenticator', () => {
  test('takes who sends nothing, or an empty name and password, for anonymous', async () => {
    await using open = await openAuthWithUsers()
    expect(await authenticate(open, undefined)).toBe(anonymous)
    expect(await authenticate(open, 'Basic Og==')).toBe(anonymous)
  })

  test('knows a user by the password, and hashes it once for many requests', async () => {
    await using open = await openAuthWithUsers()
    const before = open.hashes()
    const principals = await Promise.all(Array.from({ length: 20 }, () => authenticate(open, bob)))
    for (let count = 0; count < 20; count++) principals.push(await authenticate(open, bob))
    expect(new Set(principals.map((principal) => JSON.stringify(principal))).size).toBe(1)
    expect(principals[0]).toMatchObject({ kind: 'user', name: 'bob', isAdmin: false, scopes: undefined })
    expect(open.hashes() - before).toBe(1)
  })

  test('hashes a password of a login once too', async () => {
    await using open = await openAuthWithUsers()
    const before = open.hashes()
    const login = () => open.auth.authenticator.login({ name: 'root', password: bobsPassword }, origin)
    expect(await login()).toMatchObject({ name: 'root', isAdmin: true })
    expect(await login()).toMatchObject({ name: 'root', isAdmin: true })
    expect(open.hashes() - before).toBe(1)
  })

  test('remembers no failure', async () => {
    await using open = await openAuthWithUsers()
    const before = open.hashes()
    for (let count = 0; count < 3; count++) {
      await expect(authenticate(open, basic('bob', 'wrong'))).rejects.toEqual(refusedPassword)
    }
    expect(open.hashes() - before).toBe(3)
  })

  test('C6: an unknown and a disabled user cost what a known one costs, and hear the same', async () => {
    await using open = await openAuthWithUsers()
    await open.auth.accounts.add({ name: 'gone', password: bobsPassword, isAdmin: false }, tester)
    await open.auth.accounts.disable('gone', tester)
    const costs: number[] = []
    const errors: unknown[] = []
    for (const header of [
      basic('bob', 'wrong one'),
      basic('nobody', 'wrong one'),
      basic('gone', bobsPassword),
    ]) {
      const before = open.hashes()
      errors.push(await authenticate(open, header).catch((error: unknown) => String(error)))
      costs.push(open.hashes() - before)
    }
    expect(costs).toEqual([1, 1, 1])
    expect(new Set(errors).size).toBe(1)
  })

  test('C2: a disabled user is out with the next request, by password and by token', async () => {
    await using open = await openAuthWithUsers()
    const bearer = await bearerOf(open)
    expect(await authenticate(open, bearer)).toMatchObject({ name: 'bob' })
    await open.auth.accounts.disable('bob', tester)
    await expect(authenticate(open, bob)).rejects.toEqual(refusedPassword)
    await expect(authenticate(open, bearer)).rejects.toEqual(refusedToken)
    await open.auth.accounts.enable('bob', tester)
    expect(await authenticate(open, bob)).toMatchObject({ name: 'bob' })
    await expect(authenticate(open, bearer)).rejects.toEqual(refusedToken)
  })

  test('C2: a new password ends the old one and its tokens, in other processes too', async () => {
    await using open = await openAuthWithUsers()
    const second = { auth: await open.openSecond() }
    const bearer = await bearerOf(open)
    expect(await authenticate(second, bearer)).toMatchObject({ name: 'bob' })
    expect(await authenticate(second, bob)).toMatchObject({ name: 'bob' })
    await open.auth.accounts.setPassword('bob', 'another password', tester)
    for (const process of [open, second]) {
      await expect(authenticate(process, bearer)).rejects.toEqual(refusedToken)
      await expect(authenticate(process, bob)).rejects.toEqual(refusedPassword)
      expect(await authenticate(process, basic('bob', 'another password'))).toMatchObject({ name: 'bob' })
    }
  })

  test('ends a remembered token with its time', async () => {
    await using open = await openAuthWithUsers()
    const bearer = await bearerOf(open)
    expect(await authenticate(open, bearer)).toMatchObject({ name: 'bob' })
    open.clock.advance(15 * 60_000 - 1_000)
    expect(await authenticate(open, bearer)).toMatchObject({ name: 'bob' })
    open.clock.advance(1_000)
    await expect(authenticate(open, bearer)).rejects.toEqual(refusedToken)
  })

  test('ends remembered tokens within a second of the end of their key, in other processes too', async () => {
    await using open = await openAuthWithUsers()
    const second = { auth: await open.openSecond() }
    const bearer = await bearerOf(open)
    expect(await authenticate(second, bearer)).toMatchObject({ name: 'bob' })
    await open.auth.keys.rotate({ overlapMs: 0 }, tester)
    await expect(authenticate(open, bearer)).rejects.toEqual(refusedToken)
    open.clock.advance(1_000)
    await expect(authenticate(second, bearer)).rejects.toEqual(refusedToken)
  })

  test('C5: a token is no password', async () => {
    await using open = await openAuthWithUsers()
    const token = (await bearerOf(open)).slice('Bearer '.length)
    await expect(authenticate(open, basic('bob', token))).rejects.toEqual(refusedPassword)
    await expect(authenticate(open, `Bearer ${bobsPassword.replaceAll(' ', '')}`)).rejects.toEqual(
      refusedToken,
    )
  })

  test('holds an address that guesses, and nobody else', async () => {
    await using open = await openAuthWithUsers()
    for (let count = 0; count < 6; count++) {
      await expect(authenticate(open, basic('bob', `guess ${count}`))).rejects.toEqual(refusedPassword)
    }
    expect(open.delays.length).toBeGreaterThan(0)
    const held = open.delays.length
    expect(await authenticate(open, bob, elsewhere)).toMatchObject({ name: 'bob' })
    expect(open.delays.length).toBe(held)
  })

  test('accepts a right password while failures of another address wait', async () => {
    const never = new Promise<void>(() => undefined)
    await using open = await openAuthWithUsers({ throttle: { sleep: () => never } })
    for (const name of ['a', 'b', 'c']) {
      await expect(authenticate(open, basic(name, 'guess'))).rejects.toEqual(refusedPassword)
    }
    void authenticate(open, bob)
    expect(await authenticate(open, bob, elsewhere)).toMatchObject({ name: 'bob' })
  })
})

describe('the audit of logins', () => {
  test('tell who came from where with what result, in one batch', async () => {
    await using open = await openAuthWithUsers()
    await authenticate(open, bob)
    await authenticate(open, bob)
    await authenticate(open, basic('bob', 'wrong one')).catch(() => undefined)
    await authenticate(open, basic('nobody', 'wrong one'), elsewhere).catch(() => undefined)
    expect(await loginsOf(open)).toEqual([])
    await open.audit.flush()
    const events = await loginsOf(open)
    const { id } = (await open.auth.accounts.find('bob'))!
    const target = { kind: 'user', name: 'bob' }
    expect(events).toMatchObject([
      { outcome: 'unknown', actor: { id: 'anonymous', name: '', ...elsewhere }, target: undefined },
      { outcome: 'wrong-password', actor: { id: 'anonymous', name: '', ...origin }, target },
      {
        outcome: 'granted',
        actor: { id: `user:${id}`, name: 'bob', credential: 'password', ...origin },
        target,
      },
    ])
  })

  test('G1: no secret is in an event or an error, not even one typed in place of the name', async () => {
    await using open = await openAuthWithUsers()
    const secrets = ['hunter2-secret', bobsPassword, (await bearerOf(open)).slice('Bearer '.length)]
    const headers = secrets.flatMap((secret) => [
      basic(secret, 'x'),
      basic('bob', `${secret}!`),
      `Bearer ${secret}x`,
      `Basic ${secret}`,
      secret,
    ])
    const errors: unknown[] = []
    for (const header of headers)
      errors.push(await authenticate(open, header).catch((error: unknown) => error))
    await open.audit.flush()
    const events = await loginsOf(open)
    expect(events.length).toBeGreaterThan(0)
    const text = JSON.stringify(events) + errors.map(describeError).join('\n')
    for (const secret of [...secrets, ...secrets.map((plain) => btoa(plain))])
      expect(text).not.toContain(secret)
  })
})

/** Newest first. */
const loginsOf = ({ audit }: OpenAuth) => audit.search({ filter: { action: 'login' }, limit: 100 })

/** Returns everything that a logger could write about the error. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) throw new Error('it was not refused')
  const cause = error.cause === undefined ? '' : describeError(error.cause)
  return `${error.stack}${JSON.stringify(error)}${cause}`
}
