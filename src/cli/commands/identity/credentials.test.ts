/** Tests the commands for access tokens, robots and sessions while a registry runs, which applies their changes at once. */
import { describe, expect, test } from 'vitest'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { shareScene } from '../../../../test/support/scenes/share-scene.ts'
import { runLading, type RunOptions } from '../../../../test/support/processes/run-lading.ts'

const password = 'a password of some length'

async function start() {
  const registry = await startInProcess({ auth: { anonymous: 'none' } })
  const lading = (line: string, options?: RunOptions) =>
    runLading(line, { ...options, env: { LADING_DATA: registry.dataDir, ...options?.env } })
  await lading('user add alice --password-stdin', { stdin: password })
  const status = async (path: string, authorization: string): Promise<number> =>
    (await fetch(`${registry.url}${path}`, { headers: { authorization } })).status
  const enter = (name: string, secret: string): Promise<number> => status('/v2/', basic(name, secret))
  const bearer = async (name: string, secret: string): Promise<string> => {
    const answer = await fetch(`${registry.url}/v2/token`, {
      headers: { authorization: basic(name, secret) },
    })
    return `Bearer ${((await answer.json()) as { token: string }).token}`
  }
  return {
    registry,
    lading,
    status,
    enter,
    bearer,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
}

function basic(name: string, secret: string): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`
}

interface CreatedToken {
  readonly token: { readonly id: number }
  readonly secret: string
}

const shared = shareScene(start)

describe('token', () => {
  test('creates a token that is shown once and is valid until it is revoked', async () => {
    await using given = await start()
    const line = 'token create alice --name laptop --action pull,push --repository alice/** --expires 90d'
    const made = (await given.lading(`${line} --json`)).json() as CreatedToken
    const { token, secret } = made
    expect(token).toMatchObject({
      principal: 'alice',
      name: 'laptop',
      actions: ['pull', 'push'],
      repositories: ['alice/**'],
      createdBy: 'operator',
      state: 'active',
    })
    expect(secret).toMatch(/^ladu_[0-9A-Za-z]{36}$/)
    expect(await given.enter('alice', secret)).toBe(200)
    const issued = await given.bearer('alice', secret)
    expect(await given.status('/v2/', issued)).toBe(200)
    const listed = await given.lading('token list')
    expect(listed.out).toMatch(/alice +laptop +\w{4} +pull,push in alice\/\*\* /)
    expect(listed.out).not.toContain(secret)
    const revoked = await given.lading(`token revoke ${token.id}`)
    expect(revoked).toMatchObject({ code: 0, out: `revoked access token ${token.id}` })
    expect(await given.enter('alice', secret)).toBe(401)
    expect(await given.status('/v2/', issued)).toBe(401)
    expect((await given.lading('token list --principal alice --json')).json()).toMatchObject([
      { id: token.id, state: 'revoked' },
    ])
    expect(await given.lading(`token revoke ${token.id}`)).toMatchObject({ code: 1 })
  })

  test('rotates a token, and keeps the old one valid for the requested time', async () => {
    await using given = await start()
    const old = (await given.lading('token create alice --json')).json() as CreatedToken
    const next = (
      await given.lading(`token rotate ${old.token.id} --overlap 2h --json`)
    ).json() as CreatedToken
    expect(next.token).toMatchObject({ principal: 'alice', name: 'token' })
    expect([await given.enter('alice', old.secret), await given.enter('alice', next.secret)]).toEqual([
      200, 200,
    ])
    given.registry.advance(2 * 60 * 60_000)
    expect([await given.enter('alice', old.secret), await given.enter('alice', next.secret)]).toEqual([
      401, 200,
    ])
    const leaked = (
      await given.lading(`token rotate ${next.token.id} --overlap 0 --json`)
    ).json() as CreatedToken
    expect([await given.enter('alice', next.secret), await given.enter('alice', leaked.secret)]).toEqual([
      401, 200,
    ])
  })

  test('renews the lifetime with each rotation, even of a rotated token, and prints the expiry', async () => {
    await using given = await start()
    const made = (await given.lading('token create alice --expires 90d --json')).json() as CreatedToken
    const { id } = made.token
    for (const next of [1, 2]) {
      const { out } = await given.lading(`token rotate ${id} --overlap 12h`)
      const [, end = ''] = /created access token \d+ of alice, until (\S+)/.exec(out) ?? []
      // The old token expires in twelve hours and the new one in 90 days; the command may take up to a day.
      expect([next, Date.parse(end) > Date.now() + 89 * 24 * 60 * 60_000]).toEqual([next, true])
    }
    expect((await given.lading('token create alice')).out).toContain('of alice, until it is revoked')
  })

  test('survives a new password without --revoke-tokens', async () => {
    await using given = await start()
    const { secret } = (await given.lading('token create alice --json')).json() as CreatedToken
    await given.lading('user password alice --generate')
    expect(await given.enter('alice', secret)).toBe(200)
    await given.lading('user password alice --generate --revoke-tokens')
    expect(await given.enter('alice', secret)).toBe(401)
  })

  test.each([
    ['token create nobody', 1, 'there is no user "nobody"'],
    ['token create alice+ci', 1, 'there is no robot "alice+ci"'],
    ['token create alice --action pul', 2, 'did you mean pull?'],
    ['token create alice --repository Alice/x', 1, 'pattern "Alice/x" is invalid'],
    ['token create alice --expires soon', 2, '--expires takes a time like 12h'],
    ['token create alice --expires 2020-01-01', 1, 'its expiry time is in the past'],
    ['token rotate one', 2, 'one is not an id'],
    ['token rotate 99', 1, 'access token 99 does not exist or is no longer valid: '],
    ['token rotate 99 --overlap long', 2, '--overlap takes a time'],
    ['token revoke 99', 1, 'access token 99 does not exist or is no longer valid; '],
    ['token list --principal nobody', 1, 'there is no user "nobody"'],
  ])('refuses %s', async (line, code, message) => {
    const given = await shared()
    expect(await given.lading(line)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  })
})

describe('robot', () => {
  test('adds robots that log in with their tokens while they exist and are enabled', async () => {
    await using given = await start()
    expect((await given.lading('robot add alice+ci')).out).toContain('created robot alice+ci')
    const { secret } = (await given.lading('token create alice+ci --json')).json() as CreatedToken
    expect(secret).toMatch(/^ladr_/)
    expect(await given.enter('alice+ci', secret)).toBe(200)
    expect(await given.enter('alice+ci', password)).toBe(401)
    expect((await given.lading('robot list --owner alice --json')).json()).toMatchObject([
      { name: 'ci', login: 'alice+ci', disabled: false },
    ])
    expect((await given.lading('user list')).out).not.toContain('alice+ci')
    await given.lading('robot disable alice+ci')
    expect(await given.enter('alice+ci', secret)).toBe(401)
    expect((await given.lading('robot list')).out).toMatch(/^alice\+ci +disabled /m)
    expect((await given.lading('token list --principal alice+ci')).out).toMatch(/ disabled$/m)
    await given.lading('robot enable alice+ci')
    expect(await given.enter('alice+ci', secret)).toBe(200)
    await given.lading('user disable alice')
    expect(await given.enter('alice+ci', secret)).toBe(401)
    expect((await given.lading('robot list')).out).toMatch(/^alice\+ci +owner disabled /m)
    expect((await given.lading('token list --principal alice+ci')).out).toMatch(/ disabled$/m)
    await given.lading('user enable alice')
    expect((await given.lading('robot list')).out).toMatch(/^alice\+ci +active /m)
    await given.lading('robot delete alice+ci')
    expect(await given.enter('alice+ci', secret)).toBe(401)
    expect((await given.lading('robot list --json')).json()).toEqual([])
  })

  test.each([
    ['robot add ci', 1, 'write <owner>+<name>'],
    ['robot add nobody+ci', 1, 'there is no user or organization "nobody"'],
    ['robot disable alice', 1, 'there is no robot "alice"'],
    ['robot delete alice+ci', 1, 'there is no robot "alice+ci"'],
    ['user password alice+ci --generate', 1, 'there is no user "alice+ci"'],
  ])('B4: refuses %s', async (line, code, message) => {
    const given = await shared()
    expect(await given.lading(line)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  })
})

describe('session', () => {
  test('lists and ends browser sessions', async () => {
    await using given = await start()
    const { sessions } = given.registry.app.auth
    const begun = await sessions.login(
      { name: 'alice', password },
      { address: '192.0.2.7', client: 'firefox' },
    )
    const listed = (await given.lading('session list --json')).json()
    expect(listed).toMatchObject([{ id: begun.id, user: 'alice', address: '192.0.2.7', client: 'firefox' }])
    expect((await given.lading('session list --user alice')).out).toMatch(/192\.0\.2\.7 +firefox$/m)
    const cookie = begun.cookie({ secure: false })
    expect(await sessions.find(cookie.split(';', 1).join(''))).toBeDefined()
    expect(await given.lading(`session end ${begun.id}`)).toMatchObject({ code: 0 })
    expect(await sessions.find(cookie.split(';', 1).join(''))).toBeUndefined()
    const again = await given.lading(`session end ${begun.id}`)
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('there is no session') })
  })
})
