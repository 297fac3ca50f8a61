/** Tests the commands for rights while a registry runs, which applies their changes at once. */
import { describe, expect, test } from 'vitest'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { shareScene } from '../../../../test/support/scenes/share-scene.ts'
import { runLading, type RunOptions } from '../../../../test/support/processes/run-lading.ts'

const password = 'a password of some length'

/** Users alice and bob; alice has a private repository alice/web. */
async function start() {
  await using stack = new AsyncDisposableStack()
  const registry = stack.use(await startInProcess({ auth: { anonymous: 'pull' } }))
  const lading = (line: string, options?: RunOptions) =>
    runLading(line, { ...options, env: { LADING_DATA: registry.dataDir } })
  const as = (name: string) => ({
    authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
  })
  for (const name of ['alice', 'bob']) await lading(`user add ${name} --password-stdin`, { stdin: password })
  const push = async (name: string, repository: string) => {
    const digest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    const url = `${registry.url}/v2/${repository}/blobs/uploads/?digest=${digest}`
    const headers = { ...as(name), 'Content-Type': 'application/octet-stream' }
    return (await fetch(url, { method: 'POST', headers, body: new Uint8Array() })).status
  }
  const pull = async (name: string, repository: string) =>
    (await fetch(`${registry.url}/v2/${repository}/tags/list`, { headers: as(name) })).status
  expect(await push('alice', 'alice/web')).toBe(201)
  const resources = stack.move()
  return { lading, push, pull, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

const shared = shareScene(start)

describe('grant', () => {
  test('gives and removes a right, which applies to the next request', async () => {
    await using given = await start()
    const { lading, pull, push } = given
    expect(await pull('bob', 'alice/web')).toBe(403)
    expect(await lading('grant add bob reader alice web')).toMatchObject({
      code: 0,
      out: 'grant 1 gives reader on alice/web to bob',
    })
    expect([await pull('bob', 'alice/web'), await push('bob', 'alice/web')]).toEqual([200, 403])
    const writer = (await lading('grant add bob writer alice ** --json')).json()
    expect(writer).toMatchObject({ id: 2, role: 'writer', to: 'bob', kind: 'user' })
    expect(writer).toMatchObject({ owner: 'alice', repositories: '**' })
    expect([await push('bob', 'alice/web'), await push('bob', 'alice/new')]).toEqual([201, 201])
    expect((await lading('grant list --owner alice --json')).json()).toMatchObject([{ id: 1 }, { id: 2 }])
    expect((await lading('grant list --to bob')).out).toMatch(/^2 +alice\/\*\* +writer +user bob /m)
    expect((await lading('grant list --to alice --json')).json()).toEqual([])
    for (const id of [1, 2]) expect(await lading(`grant remove ${id}`)).toMatchObject({ code: 0 })
    expect([await pull('bob', 'alice/web'), await push('bob', 'alice/web')]).toEqual([403, 403])
  })

  test.each([
    ['grant add carol reader alice **', 1, 'there is no user, robot or team "carol"'],
    ['grant add alice/dev reader alice **', 1, 'there is no user, robot or team "alice/dev"'],
    ['grant add bob boss alice **', 1, 'there is no role "boss"'],
    ['grant add bob reader acme **', 1, 'there is no user or organization "acme"'],
    ['grant add bob reader alice', 2, '<repositories>'],
    [
      'grant add bob reader alice alice/web',
      1,
      'write web for alice/web, or ./alice/web for alice/alice/web',
    ],
    ['grant add bob reader alice/web **', 1, 'there is no user or organization "alice/web"'],
    ['grant add bob reader alice w[eb]', 1, 'characters that no repository name has'],
    ['grant remove 7', 1, 'there is no grant 7: list the grants'],
    ['grant remove x', 2, 'x is not an id'],
  ])('refuses %s', async (line, code, message) => {
    const given = await shared()
    expect(await given.lading(line)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  })
})

describe('role', () => {
  test('creates roles from actions, and refuses to remove used and built-in ones', async () => {
    await using given = await start()
    const { lading } = given
    expect((await lading('role add ci push:create,pull --json')).json()).toEqual({
      name: 'ci',
      actions: ['pull', 'push:create'],
      isBuiltIn: false,
    })
    const names = ((await lading('role list --json')).json() as { name: string }[]).map(({ name }) => name)
    expect(names).toEqual(['ci', 'maintainer', 'owner', 'reader', 'writer'])
    expect((await lading('role list')).out).toMatch(/^ci +pull,push:create +custom$/m)
    await lading('grant add bob ci alice **')
    expect(await lading('role remove ci')).toMatchObject({ code: 1, err: expect.stringContaining('use it') })
    await lading('grant remove 1')
    expect(await lading('role remove ci')).toMatchObject({ code: 0, out: 'removed role ci' })
  })

  test.each([
    ['role add ci fly', '"fly" is not an action'],
    ['role add CI pull', 'its name must have at most 64 characters'],
    ['role add reader pull', 'role reader already exists'],
    ['role remove reader', 'it is built in'],
    ['role remove nothing', 'there is no role "nothing"'],
  ])('refuses %s', async (line, message) => {
    const given = await shared()
    expect(await given.lading(line)).toMatchObject({ code: 1, err: expect.stringContaining(message) })
  })
})

describe('access', () => {
  test('explains allowed and refused actions', async () => {
    await using given = await start()
    const { lading } = given
    const explain = async (line: string) => (await lading(`access explain ${line}`)).out
    expect(await explain('bob push alice/web')).toBe(
      'denied because no grant to user bob allows push in alice/web; a grant of writer on alice/web would allow it',
    )
    await lading('grant add bob writer alice web')
    expect(await explain('bob push alice/web')).toBe(
      'allowed because grant 1 gives writer on alice/web to user bob',
    )
    expect(await explain('alice delete alice/web')).toBe('allowed because user alice owns alice')
    expect(await explain('admin pull alice/web')).toBe('allowed because user admin is an administrator')
    expect(await explain('anonymous pull alice/web')).toContain(
      'denied because anonymous can only use public repositories',
    )
    await lading('user disable bob')
    const denied = await lading('access explain bob pull alice/web --json')
    expect(denied.json()).toEqual({ allowed: false, text: 'denied because user bob is disabled' })
    expect([denied.code, denied.err]).toEqual([1, ''])
    expect(await lading('access explain admin pull alice/web')).toMatchObject({ code: 0 })
  })

  test('lists everyone who can, each with the reason', async () => {
    await using given = await start()
    const { lading } = given
    await lading('grant add bob writer alice web/**')
    const can = async (line: string) =>
      ((await lading(`access who-can ${line} --json`)).json() as { name: string }[]).map(({ name }) => name)
    expect(await can('push alice **')).toEqual(['alice', 'admin', 'bob'])
    expect(await can('push alice web/app')).toEqual(['alice', 'admin', 'bob'])
    expect(await can('push alice web')).toEqual(['alice', 'admin'])
    expect(await can('delete alice **')).toEqual(['alice', 'admin'])
    await lading('repository set alice/web --visibility public')
    expect((await lading('access who-can pull alice web')).out).toMatch(/^anyone +alice\/web is public$/m)
  })

  test.each([
    ['access explain bob fly alice/web', 2, '<action> must be one of'],
    ['access explain carol pull alice/web', 1, 'there is no user "carol"'],
    ['access explain alice+nobody pull alice/web', 1, 'there is no robot "alice+nobody"'],
    ['access explain bob pull hello', 1, 'write <owner>/<image>'],
    ['access who-can push prod **', 1, 'there is no user or organization "prod"'],
  ])('refuses %s', async (line, code, message) => {
    const given = await shared()
    expect(await given.lading(line)).toMatchObject({ code, err: expect.stringContaining(message) })
  })
})
