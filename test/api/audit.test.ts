import { beforeAll, expect, test } from 'vitest'
import { parseRepositoryPattern } from '../../src/access/patterns/repository-pattern.ts'
import { askApi } from '../support/http/api-client.ts'
import { eventually } from '../support/eventually.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

const registry = shareRegistry({ auth: { anonymous: 'pull' } })

interface Event {
  readonly id: number
  readonly action: string
  readonly outcome: string
  readonly actor: { readonly name: string }
  readonly requestId?: string
  readonly target?: { readonly kind: string; readonly name: string }
}

beforeAll(async () => {
  const { accounts } = registry.app.auth
  await accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  await accounts.add({ name: 'bob', password: passwordOf('bob'), isAdmin: false }, tester)
  await accounts.add({ name: 'carol', password: passwordOf('carol'), isAdmin: false }, tester)
})

async function search(query: string): Promise<Event[]> {
  const answer = await askApi(registry.url, `/audit?${query}`, { as: 'root' })
  expect(answer.status).toBe(200)
  return answer.value['items'] as Event[]
}

test('each event of a login, a session and a password has the request id of its reply', async () => {
  const json = { name: 'carol', password: passwordOf('carol') }
  const wrong = await askApi(registry.url, '/session', { json: { ...json, password: 'a wrong password' } })
  const opened = await askApi(registry.url, '/session', { json })
  const changed = await askApi(registry.url, '/me/password', {
    method: 'PUT',
    as: 'carol',
    json: { oldPassword: passwordOf('carol'), password: passwordOf('carol') },
  })
  expect([wrong.status, opened.status, changed.status]).toEqual([401, 201, 204])
  const ids = [wrong, opened, changed].map(({ headers }) => String(headers['x-request-id']))
  const find = async () =>
    (await search('limit=100'))
      .map(({ action, outcome, requestId = '' }) => `${ids.indexOf(requestId)} ${action} ${outcome}`)
      .filter((text) => !text.startsWith('-1'))
  const expected = [
    '0 login wrong-password',
    '1 login granted',
    '1 session.create done',
    '2 login granted',
    '2 user.password done',
  ]
  const found = await eventually(find, ({ length }) => length >= expected.length)
  expect(found.toSorted()).toEqual(expected)
})

const refused = 'action=manage&outcome=denied&actor=bob'

test('a refused change is recorded once a minute, with the request and without a secret', async () => {
  let id: unknown
  for (let time = 0; time < 3; time += 1) {
    const { headers } = await askApi(registry.url, '/users/carol', {
      method: 'PATCH',
      as: 'bob',
      json: { password: 'a secret of bob' },
    })
    id ??= headers['x-request-id']
  }
  const events = await eventually(
    () => search(refused),
    (found) => found.length > 0,
  )
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({
    actor: { name: 'bob' },
    credential: 'password',
    address: '127.0.0.1',
    requestId: id,
    target: { kind: 'user', name: 'carol' },
  })
  expect(JSON.stringify(events)).not.toContain('secret')
})

test('pages list events from newest to oldest without a gap, and the export from oldest to newest', async () => {
  for (const name of ['u1', 'u2', 'u3', 'u4', 'u5']) {
    await askApi(registry.url, `/users/${name}`, { method: 'PATCH', as: 'bob', json: {} })
  }
  const events = await eventually(
    () => search(`${refused}&limit=200`),
    (found) => found.length >= 6,
  )
  const all = events.map(({ id }) => id)
  const paged: number[] = []
  let path: string | undefined = `/audit?${refused}&limit=2`
  while (path !== undefined) {
    const answer = await askApi(registry.url, path, { as: 'root' })
    paged.push(...(answer.value['items'] as Event[]).map(({ id }) => id))
    path = /<\/api\/v1([^>]+)>/.exec(answer.headers.link?.toString() ?? '')?.[1]
  }
  expect(paged).toEqual(all)
  expect(all).toEqual(all.toSorted((a, b) => b - a))
  const exported = await askApi(registry.url, `/audit/export?${refused}`, { as: 'root' })
  expect(exported.headers['content-type']).toBe('application/jsonl')
  const head = await askApi(registry.url, `/audit/export?${refused}`, { as: 'root', method: 'HEAD' })
  expect([head.status, head.headers['content-type'], head.body.length]).toEqual([200, 'application/jsonl', 0])
  const lines = exported.text().trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as Event).id)).toEqual(all.toReversed())
})

test('an owner reads only events of its own', async () => {
  expect((await askApi(registry.url, '/audit', { as: 'bob' })).status).toBe(403)
  expect((await askApi(registry.url, '/audit/owners/bob', { as: 'bob' })).status).toBe(200)
  for (const owner of ['carol', 'nobody']) {
    expect((await askApi(registry.url, `/audit/owners/${owner}`, { as: 'bob' })).status).toBe(403)
  }
})

test('B6: an owner reads no events of an earlier owner with its name', async () => {
  const make = { method: 'POST', as: 'root', json: { name: 'dora', password: passwordOf('dora') } }
  const readAll = async (as: string): Promise<string[]> => {
    const answer = await askApi(registry.url, '/audit/owners/dora?limit=200', { as })
    return (answer.value['items'] as Event[]).map(({ action }) => action)
  }
  await askApi(registry.url, '/users', make)
  await askApi(registry.url, '/owners/dora/robots', { method: 'POST', as: 'dora', json: { name: 'ci' } })
  expect(await readAll('dora')).toEqual(expect.arrayContaining(['user.create', 'robot.create']))
  await askApi(registry.url, '/users/dora', { method: 'DELETE', as: 'root' })
  registry.advance(1)
  await askApi(registry.url, '/users', make)
  const found = await readAll('dora')
  expect(found).toContain('user.create')
  expect(found).not.toContain('robot.create')
  expect(await readAll('root')).toContain('robot.create')
})

/** Returns the events of an owner as `kind action`, from all pages. */
async function readOwner(owner: string, authorization: string, query = 'limit=200'): Promise<string[]> {
  const found: string[] = []
  let path: string | undefined = `/audit/owners/${owner}?${query}`
  while (path !== undefined) {
    const answer = await askApi(registry.url, path, { headers: { authorization } })
    expect(answer.status).toBe(200)
    found.push(...(answer.value['items'] as Event[]).map(({ action, target }) => `${target?.kind} ${action}`))
    path = /<\/api\/v1([^>]+)>/.exec(answer.headers.link?.toString() ?? '')?.[1]
  }
  return found
}

async function tokenOf(name: string, isNarrowed: boolean): Promise<string> {
  const { accounts, accessTokens } = registry.app.auth
  const limits = isNarrowed ? { patterns: [parseRepositoryPattern('**')] } : {}
  const request = { name: isNarrowed ? 'narrow' : 'whole', ...limits }
  const { secret } = await accessTokens.create((await accounts.find(name))?.id ?? 0, request, tester)
  return `Bearer ${secret}`
}

test('events of an account are for itself and for administrators, with unrestricted credentials', async () => {
  for (const name of ['eve', 'finn']) {
    const json = { name, password: passwordOf(name) }
    expect((await askApi(registry.url, '/users', { as: 'root', json })).status).toBe(201)
  }
  const grant = { role: 'owner', to: 'finn', repositories: '**' }
  expect((await askApi(registry.url, '/owners/eve/grants', { as: 'eve', json: grant })).status).toBe(201)
  for (const name of ['r1', 'r2', 'r3']) {
    await askApi(registry.url, '/owners/eve/robots', { as: 'eve', json: { name } })
    await askApi(registry.url, '/session', { json: { name: 'eve', password: passwordOf('eve') } })
  }
  const narrow = [basic('finn'), await tokenOf('eve', true), await tokenOf('root', true)]
  const whole = [basic('eve'), basic('root'), await tokenOf('eve', false), await tokenOf('root', false)]
  // Logins are written in batches.
  await eventually(
    () => readOwner('eve', basic('root')),
    (found) => found.includes('user login'),
  )
  const robots = Array<string>(3).fill('robot robot.create')
  for (const authorization of narrow) {
    const expected = [...robots, 'owner grant.create']
    expect(await readOwner('eve', authorization)).toEqual(expected)
    expect(await readOwner('eve', authorization, 'limit=1')).toEqual(expected)
    expect(await readOwner('eve', authorization, 'action=session.create')).toEqual([])
  }
  for (const authorization of whole) {
    const found = await readOwner('eve', authorization)
    const all = ['user user.create', 'user session.create', 'user login', 'owner grant.create', ...robots]
    expect(found).toEqual(expect.arrayContaining(all))
  }
})

test('a restricted token of an administrator reads no events of a deleted owner or an earlier owner of the name', async () => {
  const make = { as: 'root', json: { name: 'gone' } }
  expect((await askApi(registry.url, '/owners', make)).status).toBe(201)
  await askApi(registry.url, '/owners/gone/robots', { as: 'root', json: { name: 'ci' } })
  const deleted = await askApi(registry.url, '/owners/gone', { method: 'DELETE', as: 'root' })
  expect(deleted.status).toBe(204)
  const narrowed = await tokenOf('root', true)
  expect(await readOwner('gone', narrowed)).toEqual([])
  expect(await readOwner('gone', basic('root'))).toContain('robot robot.create')
  registry.advance(1)
  await askApi(registry.url, '/owners', make)
  expect(await readOwner('gone', narrowed)).toEqual(['owner organization.create'])
  expect(await readOwner('gone', basic('root'))).toContain('robot robot.create')
})
