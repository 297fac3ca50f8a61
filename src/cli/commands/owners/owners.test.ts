/** Tests the commands for organizations, teams and users as owners while a registry runs. */
import { describe, expect, test } from 'vitest'
import { startInProcess } from '../../../../test/support/parts/in-process.ts'
import { anImageManifest, pushImage } from '../../../../test/support/content/manifests.ts'
import { shareScene } from '../../../../test/support/scenes/share-scene.ts'
import { runLading, type RunOptions } from '../../../../test/support/processes/run-lading.ts'

const password = 'a password of some length'

async function start() {
  const registry = await startInProcess({ auth: { anonymous: 'pull' } })
  const lading = async (line: string, options?: RunOptions) =>
    runLading(line, { ...options, env: { LADING_DATA: registry.dataDir } })
  const addUser = async (name: string, flags = '') =>
    expect(await lading(`user add ${name} ${flags} --password-stdin`, { stdin: password })).toMatchObject({
      code: 0,
    })
  const push = (name: string, user: string) =>
    pushImage(`${registry.url}/v2/${name}`, anImageManifest(), {
      reference: 'latest',
      headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
    })
  const pull = async (name: string, user?: string): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const headers = user === undefined ? {} : { authorization }
    return (await fetch(`${registry.url}/v2/${name}/manifests/latest`, { headers })).status
  }
  return {
    registry,
    lading,
    addUser,
    push,
    pull,
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
}

const shared = shareScene(start)

describe('org and team', () => {
  test('create an organization whose members have the rights granted to them', async () => {
    await using given = await start()
    const { lading, addUser, push, pull } = given
    for (const name of ['alice', 'bob']) await addUser(name)
    expect(await lading('org create acme')).toMatchObject({ code: 0, out: 'created organization acme' })
    expect((await lading('org member add acme alice --role writer --json')).json()).toEqual({
      owner: 'acme',
      user: 'alice',
      role: 'writer',
      isNew: true,
    })
    await push('acme/web', 'alice')
    expect(await pull('acme/web', 'bob')).toBe(403)
    await lading('team create acme/dev')
    expect(await lading('team member add acme/dev bob')).toMatchObject({
      code: 1,
      err: expect.stringContaining('"bob" is not a member of acme'),
    })
    await lading('org member add acme bob')
    expect((await lading('team member add acme/dev bob --json')).json()).toEqual({
      owner: 'acme',
      name: 'dev',
      user: 'bob',
      isNew: true,
    })
    expect(await lading('grant add acme/dev reader acme **')).toMatchObject({ code: 0 })
    expect(await pull('acme/web', 'bob')).toBe(200)
    expect((await lading('org member list acme --json')).json()).toMatchObject([
      { name: 'alice' },
      { name: 'bob' },
    ])
    expect((await lading('team member list acme/dev')).out).toContain('bob')
    expect((await lading('team list acme --json')).json()).toMatchObject([{ owner: 'acme', name: 'dev' }])
    await lading('team member remove acme/dev bob')
    expect(await pull('acme/web', 'bob')).toBe(403)
    await lading('org member remove acme alice')
    expect(await pull('acme/web', 'alice')).toBe(403)
    expect(await lading('team delete acme/dev')).toMatchObject({ code: 0, out: 'deleted team acme/dev' })
  })

  test('limit the visibility of repositories', async () => {
    await using given = await start()
    const { lading, addUser, push, pull } = given
    await addUser('root', '--admin')
    await lading('org create acme --visibility private')
    await push('acme/web', 'root')
    await lading('repository set acme/web --visibility public')
    expect(await pull('acme/web')).toBe(401)
    expect((await lading('org visibility acme public --json')).json()).toEqual({
      name: 'acme',
      visibility: 'public',
      before: 'private',
    })
    expect(await pull('acme/web')).toBe(200)
    expect((await lading('repository show acme/web --json')).json()).toEqual({
      name: 'acme/web',
      owner: 'acme',
      visibility: 'public',
      ownerVisibility: 'public',
    })
    expect((await lading('org list --json')).json()).toMatchObject([{ name: 'acme', visibility: 'public' }])
    expect((await lading('repository list --owner acme --json')).json()).toHaveLength(1)
    expect((await lading('repository list --owner acm --json')).json()).toEqual([])
  })
})

describe('owners', () => {
  test('are renamed, and pulls work under both names', async () => {
    await using given = await start()
    const { lading, addUser, push, pull } = given
    await addUser('alice')
    await push('alice/web', 'alice')
    expect((await lading('user rename alice ally --json')).json()).toEqual({
      name: 'ally',
      before: 'alice',
      repositories: 1,
    })
    expect(await pull('alice/web', 'ally')).toBe(200)
    expect(await pull('ally/web', 'ally')).toBe(200)
    expect(await pull('ally/web', 'alice')).toBe(401)
    expect((await lading('user show ally --json')).json()).toMatchObject({
      kind: 'user',
      formerNames: ['alice'],
    })
    expect((await lading('user show ally')).out).toContain('pulls still work under alice')
    expect(await lading('org create alice')).toMatchObject({
      code: 1,
      err: expect.stringContaining('alice is a former name of ally'),
    })
    expect(await lading('user add alice --generate')).toMatchObject({
      code: 1,
      err: expect.stringContaining('alice is a former name of ally'),
    })
  })

  test('are deleted with their repositories only with --purge', async () => {
    await using given = await start()
    const { lading, addUser, push, pull } = given
    await addUser('alice')
    await push('alice/web', 'alice')
    expect(await lading('user delete alice')).toMatchObject({
      code: 1,
      err: expect.stringContaining('alice still has repositories, for example alice/web'),
    })
    expect(await lading('user delete alice --purge --yes')).toMatchObject({ code: 0, out: 'deleted alice' })
    expect(await pull('alice/web', 'alice')).toBe(401)
    expect((await lading('repository list --json')).json()).toEqual([])
    await lading('org create acme')
    expect((await lading('org delete acme --json')).json()).toEqual({ name: 'acme', deleted: true })
  })

  test('show what a purge deletes and ask for the name', async () => {
    await using given = await start()
    const { lading, addUser, push } = given
    await addUser('alice')
    for (const name of ['alice/api', 'alice/web']) await push(name, 'alice')
    await lading('robot add alice+ci')
    const refused = await lading('user delete alice --purge')
    expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringContaining('add --yes') })
    const other = await lading('user delete alice --purge', { typed: ['bob'] })
    expect(other.code).toBe(1)
    expect(other.err.split('\n')).toEqual([
      'This deletes alice with 2 repositories, 1 robot:',
      '  alice/api',
      '  alice/web',
      'This cannot be undone.',
      'lading: deleted nothing: the answer was not alice',
    ])
    expect((await lading('repository list --json')).json()).toHaveLength(2)
    const done = await lading('user delete alice --purge', { typed: ['alice'] })
    expect(done).toMatchObject({ code: 0, out: 'deleted alice' })
    expect((await lading('repository list --json')).json()).toEqual([])
    expect(await lading('user delete alice --purge', { typed: ['alice'] })).toMatchObject({
      code: 1,
      err: 'lading: there is no user alice',
    })
  })

  test.each([
    ['user delete admin', 1, 'admin is the last administrator'],
    ['user delete nobody', 1, 'there is no user or organization "nobody"'],
    ['org delete admin', 1, 'there is no user or organization "admin"'],
    ['org show admin', 1, 'there is no organization admin'],
    ['org create api', 1, 'is reserved'],
    ['org create Acme', 1, 'upper-case'],
    ['org create acme --visibility hidden', 2, '--visibility must be one of'],
    ['org visibility admin secret', 2, '<visibility> must be one of'],
    ['org rename nobody somebody', 1, 'there is no user or organization "nobody"'],
    ['org member add nobody admin', 1, 'there is no organization "nobody"'],
    ['team create acme', 2, 'acme is not a team: write <organization>/<team>'],
    ['team list acme', 1, 'there is no organization "acme"'],
    ['repository show a/b', 1, 'there is no repository a/b'],
  ])('refuses %s', async (line, code, message) => {
    const given = await shared()
    expect(await given.lading(line)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  })
})
