/** Tests the commands that change a registry while it runs; it applies their changes at once. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startInProcess, type InProcessRegistry } from '../../../../test/support/parts/in-process.ts'
import { shareScene } from '../../../../test/support/scenes/share-scene.ts'
import { runLading, type RunOptions } from '../../../../test/support/processes/run-lading.ts'
import { tempFolder } from '../../../../test/support/processes/temp-folder.ts'

const password = 'a password of some length'

async function start(sections: Parameters<typeof startInProcess>[0] = {}) {
  const registry = await startInProcess({ ...sections, auth: { anonymous: 'pull', ...sections.auth } })
  const lading = (line: string, options?: RunOptions) =>
    runLading(line, { ...options, env: { LADING_DATA: registry.dataDir, ...options?.env } })
  return { registry, lading, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}

function basic(name: string, secret: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` }
}

async function enter(
  { url }: Pick<InProcessRegistry, 'url'>,
  headers: Record<string, string>,
): Promise<number> {
  return (await fetch(`${url}/v2/`, { headers })).status
}

interface TokenAnswer {
  readonly token: string
  readonly refresh_token?: string
}

async function getToken({ url }: Pick<InProcessRegistry, 'url'>, query = ''): Promise<TokenAnswer> {
  const answer = await fetch(`${url}/v2/token?service=lading${query}`, { headers: basic('alice', password) })
  return (await answer.json()) as TokenAnswer
}

/** Creates a repository by starting and finishing an upload in it. */
async function push({ url }: Pick<InProcessRegistry, 'url'>, name: string): Promise<void> {
  const digest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const answer = await fetch(`${url}/v2/${name}/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    headers: { ...basic('alice', password), 'Content-Type': 'application/octet-stream' },
    body: new Uint8Array(),
  })
  expect(answer.status).toBe(201)
}

const shared = shareScene(start)

describe('user', () => {
  test('adds users who can log in at once', async () => {
    await using given = await start()
    const made = await given.lading('user add alice --password-stdin', { stdin: `${password}\n` })
    expect(made).toMatchObject({ code: 0, out: 'created user alice', err: '' })
    expect(await enter(given.registry, basic('alice', password))).toBe(200)
    const generated = (await given.lading('user add root --admin --generate --json')).json() as {
      password: string
    }
    expect(generated).toEqual({ name: 'root', isAdmin: true, password: expect.any(String) })
    expect(await enter(given.registry, basic('root', generated.password))).toBe(200)
    const listed = (await given.lading('user list --json')).json()
    expect(listed).toMatchObject([
      { name: 'admin', isAdmin: true },
      { name: 'alice', isAdmin: false, disabled: false },
      { name: 'root', isAdmin: true },
    ])
    expect((await given.lading('user list')).out).toMatch(/^root +administrator +active /m)
  })

  test('a disabled user and their tokens are refused within a second, and the password works again when enabled', async () => {
    await using given = await start()
    await given.lading('user add alice --password-stdin', { stdin: password })
    const { token } = await getToken(given.registry)
    const bearer = { authorization: `Bearer ${token}` }
    expect([
      await enter(given.registry, basic('alice', password)),
      await enter(given.registry, bearer),
    ]).toEqual([200, 200])
    expect(await given.lading('user disable alice')).toMatchObject({
      code: 0,
      out: 'disabled alice',
      err: '',
    })
    expect([
      await enter(given.registry, basic('alice', password)),
      await enter(given.registry, bearer),
    ]).toEqual([401, 401])
    expect((await given.lading('user enable alice --json')).json()).toEqual({
      name: 'alice',
      disabled: false,
    })
    expect([
      await enter(given.registry, basic('alice', password)),
      await enter(given.registry, bearer),
    ]).toEqual([200, 401])
  })

  test('a new password ends the old one and the file of the first administrator', async () => {
    await using given = await start()
    const { generated } = given.registry.app.firstAdministrator ?? {}
    expect(existsSync(generated?.file ?? '')).toBe(true)
    const set = await given.lading('user password admin', { typed: [password, password] })
    expect(set).toMatchObject({ code: 0, out: 'set a new password for admin' })
    expect(existsSync(generated?.file ?? '')).toBe(false)
    expect(await enter(given.registry, basic('admin', password))).toBe(200)
    expect(await enter(given.registry, basic('admin', generated?.password ?? ''))).toBe(401)
  })

  test('C2: a promoted or demoted user must log in again, and the last administrator cannot be demoted', async () => {
    await using given = await start()
    await given.lading('user add alice --password-stdin', { stdin: password })
    const { token } = await getToken(given.registry)
    expect(await given.lading('user promote alice')).toMatchObject({
      code: 0,
      out: 'alice is an administrator',
    })
    expect(await enter(given.registry, { authorization: `Bearer ${token}` })).toBe(401)
    expect((await given.lading('user list --json')).json()).toMatchObject([
      { name: 'admin', isAdmin: true },
      { name: 'alice', isAdmin: true },
    ])
    expect((await given.lading('user demote admin --json')).json()).toEqual({ name: 'admin', isAdmin: false })
    const last = await given.lading('user demote alice')
    expect(last).toMatchObject({ code: 1, err: expect.stringContaining('alice is the last administrator') })
    expect((await given.lading('user promote nobody')).err).toContain('there is no user "nobody"')
  })

  test.each([
    ['user disable', 'user demote'],
    ['user demote', 'user delete'],
    ['user delete', 'user disable'],
  ])('C2: of two administrators %s of one and %s of the other at once leave one', async (one, other) => {
    await using given = await start()
    await given.lading('user add alice --admin --password-stdin', { stdin: password })
    const ended = await Promise.all([given.lading(`${one} admin`), given.lading(`${other} alice`)])
    expect(ended.map(({ code }) => String(code)).toSorted()).toEqual(['0', '1'])
    expect(ended.map(({ err }) => err).join('')).toContain('is the last administrator')
    const users = (await given.lading('user list --json')).json() as { isAdmin: boolean; disabled: boolean }[]
    const administrators = users.filter(({ isAdmin, disabled }) => isAdmin && !disabled)
    expect(administrators).toHaveLength(1)
  })

  test('refuses to disable the last administrator', async () => {
    await using given = await start()
    const last = { code: 1, out: '', err: expect.stringContaining('admin is the last administrator') }
    expect(await given.lading('user disable admin')).toMatchObject(last)
    await given.lading('user add alice --admin --password-stdin', { stdin: password })
    expect((await given.lading('user disable admin')).code).toBe(0)
    // An administrator who cannot log in does not count.
    last.err = expect.stringContaining('alice is the last administrator')
    expect(await given.lading('user disable alice')).toMatchObject(last)
  })

  test.each<[string, RunOptions, number, string]>([
    [
      'user add alice',
      {},
      2,
      'cannot ask for a password without a terminal; use --password-stdin or --generate',
    ],
    ['user add alice --password hunter2', {}, 2, 'unknown flag --password'],
    [
      'user add alice --generate --password-stdin',
      {},
      2,
      'use either --password-stdin or --generate, not both',
    ],
    ['user add alice', { typed: ['one password', 'another'] }, 1, 'the two passwords differ'],
    [
      'user add alice --password-stdin',
      { stdin: '\n' },
      1,
      'standard input is empty; write the password to it',
    ],
    ['user add alice --password-stdin', { stdin: 'a\nb\n' }, 1, 'more than one line'],
    ['user add alice --password-stdin', { stdin: 'hunter2' }, 1, 'at least 8 characters'],
    ['user add Alice --generate', {}, 1, 'cannot be the name of a user'],
    ['user add admin --generate', {}, 1, 'user admin already exists'],
    ['user add', {}, 2, '<name> is missing: lading user add <name>'],
    ['user disable nobody', {}, 1, 'there is no user "nobody"'],
    ['user password nobody --generate', {}, 1, 'there is no user "nobody"'],
    ['user', {}, 2, 'user is a group of commands; use one of: user add, user list'],
  ])('G1: refuses %s (%j) and repeats no password', async (line, options, code, message) => {
    const given = await shared()
    const result = await given.lading(line, options)
    expect(result).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
    expect(result.err).not.toContain('hunter2')
  })

  test('prints errors as JSON with --json', async () => {
    await using given = await start()
    const { code, err } = await given.lading('user disable nobody --json')
    expect(code).toBe(1)
    expect(JSON.parse(err)).toEqual({
      error: { message: 'there is no user "nobody": check the name, or create the user first' },
    })
  })
})

describe('repository', () => {
  test('lists, opens and deletes repositories', async () => {
    await using given = await start()
    const { lading, registry } = given
    await lading('user add alice --password-stdin', { stdin: password })
    await push(registry, 'alice/web')
    await push(registry, 'alice/api')
    const pull = async () => (await fetch(`${registry.url}/v2/alice/web/tags/list`)).status
    expect(await pull()).toBe(401)
    expect((await lading('repository set alice/web --visibility public --json')).json()).toEqual({
      name: 'alice/web',
      visibility: 'public',
      before: 'private',
    })
    expect(await pull()).toBe(200)
    expect((await lading('repository list --json')).json()).toEqual([
      { name: 'alice/api', owner: 'alice', visibility: 'private', ownerVisibility: 'public' },
      { name: 'alice/web', owner: 'alice', visibility: 'public', ownerVisibility: 'public' },
    ])
    expect(await lading('repository delete alice/web')).toMatchObject({ code: 0, err: '' })
    expect((await lading('repository list')).out).not.toContain('alice/web')
    expect(await pull()).toBe(401)
  })

  test.each([
    ['repository set a/b --visibility pubic', 2, 'did you mean public?'],
    ['repository set a/b', 2, '--visibility must be one of private, internal, public'],
    ['repository set a/b --visibility public', 1, 'there is no repository a/b'],
    ['repository delete a/b', 1, 'there is no repository a/b'],
    ['repository delete hello', 1, 'write <owner>/<image>'],
  ])('refuses %s', async (line, code, message) => {
    const given = await shared()
    expect(await given.lading(line)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  })
})

describe('token and keys', () => {
  test('a revoked refresh token is refused', async () => {
    await using given = await start({ auth: { refreshTokens: true } })
    const { lading, registry } = given
    await lading('user add alice --password-stdin', { stdin: password })
    const { refresh_token: refreshToken = '' } = await getToken(
      registry,
      '&offline_token=true&client_id=docker',
    )
    const refresh = async () => {
      const form = {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        service: 'lading',
        client_id: 'docker',
      }
      return (await fetch(`${registry.url}/v2/token`, { method: 'POST', body: new URLSearchParams(form) }))
        .status
    }
    expect(await refresh()).toBe(200)
    const [listed] = (await lading('refresh-token list --user alice --json')).json() as { id: number }[]
    expect(listed).toMatchObject({ user: 'alice', client: 'docker' })
    expect((await lading('refresh-token list')).out).not.toContain(refreshToken)
    expect(await lading(`refresh-token revoke ${listed?.id}`)).toMatchObject({ code: 0 })
    expect(await refresh()).toBe(401)
    expect(await lading(`refresh-token revoke ${listed?.id}`)).toMatchObject({ code: 1 })
  })

  test('a rotated key still verifies, a leaked one does not', async () => {
    await using given = await start()
    const { lading, registry } = given
    await lading('user add alice --password-stdin', { stdin: password })
    const bearer = { authorization: `Bearer ${(await getToken(registry)).token}` }
    await lading('keys rotate')
    registry.advance(2_000)
    expect(await enter(registry, bearer)).toBe(200)
    const keys = (await lading('keys list --json')).json() as { state: string; verifyUntil: string | null }[]
    expect(keys.map(({ state }) => state)).toEqual(['active', 'retired'])
    await lading('keys rotate --leaked')
    registry.advance(2_000)
    expect(await enter(registry, bearer)).toBe(401)
    const newer = { authorization: `Bearer ${(await getToken(registry)).token}` }
    expect(await enter(registry, newer)).toBe(200)
  })

  test.each([
    ['refresh-token revoke one', 2, 'one is not an id'],
    ['refresh-token list --user nobody', 1, 'there is no user "nobody"'],
  ])('refuses %s', async (line, code, message) => {
    const given = await shared()
    expect(await given.lading(line)).toMatchObject({ code, err: expect.stringContaining(message) })
  })
})

describe('the database of a command', () => {
  test('is created only by migrate', async () => {
    await using folder = await tempFolder()
    const env = { LADING_DATA: join(folder.path, 'data') }
    const refused = await runLading('user list', { env })
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('there is no database in') })
    expect(existsSync(env.LADING_DATA)).toBe(false)
    const first = (await runLading('migrate --json', { env })).json() as {
      from: null
      to: string
      applied: string[]
    }
    expect(first).toMatchObject({ from: null, to: first.applied.at(-1) })
    expect((await runLading('migrate', { env })).out).toBe(`the database is already at ${first.to}`)
    expect((await runLading('user list --json', { env })).json()).toEqual([])
  })

  test('shows the steps of migrate at a terminal', async () => {
    await using folder = await tempFolder()
    const progress: string[] = []
    await runLading('migrate', { env: { LADING_DATA: folder.path }, progress })
    expect(progress[0]).toBe('upgrading the schema to 0001-initial')
    expect(progress.at(-1)).toBe('')
  })

  test('is named if it cannot be opened', async () => {
    await using folder = await tempFolder()
    writeFileSync(
      join(folder.path, 'lading.db'),
      'this is no database, but it is long enough to look like one'.repeat(20),
    )
    const { code, err } = await runLading('user list', { env: { LADING_DATA: folder.path } })
    expect(code).toBe(1)
    expect(err).toContain(`data: cannot use the database in ${folder.path}`)
  })
})
