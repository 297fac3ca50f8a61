/**
 * @module Checks that the management API does not reveal hidden accounts and owners. Walks all endpoints: each field that takes a
 * name is sent a hidden name and a name that does not exist, and accounts whose state is hidden. The responses must be the same,
 * apart from the name.
 */
import type { z } from '../../src/api/zod.ts'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Endpoint } from '../../src/api/endpoint.ts'
import { parseRepositoryPattern } from '../../src/access/patterns/repository-pattern.ts'
import { endpoints } from '../../src/api/endpoints.ts'
import { createAudit } from '../../src/audit/audit.ts'
import { insertOrganization, setOwnerVisibility } from '../../src/metadata/owners/owners.ts'
import { ensureRepository } from '../../src/metadata/repositories/repositories.ts'
import { parseRepositoryName } from '../../src/oci/repository-name.ts'
import { openOrganizations } from '../../src/organizations/open-organizations.ts'
import type { Organizations } from '../../src/organizations/open-organizations.ts'
import { askApi } from '../support/http/api-client.ts'
import { passwordOf } from '../support/parts/identity-server.ts'
import { shareRegistry } from '../support/parts/in-process.ts'
import { tester } from '../support/parts/tester.ts'

/** An ordinary account, and the owner of the organization acme. */
const callers = ['bob', 'alice'] as const

/**
 * Pairs of a hidden and an absent name, then of an account in a hidden state and one in the usual state. No name is in two pairs.
 */
const pairs = [
  ['hana', 'absent-0'],
  ['vault', 'absent-1'],
  ['vault+ci', 'absent-2+ci'],
  ['hana+ci', 'absent-3+ci'],
  ['vault/core', 'absent-4/core'],
  ['vault/web', 'absent-5/web'],
  ['hana/web', 'absent-6/web'],
  ['dora', 'plain-0'],
  ['root', 'plain-1'],
  ['dora-member', 'plain-member-0'],
  ['root-member', 'plain-member-1'],
] as const

const registry = shareRegistry({
  auth: { anonymous: 'pull', selfRegistration: true },
  deps: { auth: { throttle: { sleep: () => Promise.resolve() } } },
})

/** What an operator has at the command line. */
function openServices(): Organizations {
  const { metadata } = registry.app
  const { clock } = registry
  return openOrganizations({
    metadata,
    clock,
    audit: createAudit({ metadata, clock, onError: () => undefined }),
  })
}

beforeAll(async () => {
  const { auth, metadata } = registry.app
  const packages = openServices()
  const admins = ['root', 'root-member']
  const users = ['alice', 'bob', 'mia', 'hana', 'dora', 'dora-member', 'plain-0', 'plain-1']
  for (const name of [...admins, ...users, 'plain-member-0', 'plain-member-1']) {
    await auth.accounts.add({ name, password: passwordOf(name), isAdmin: admins.includes(name) }, tester)
  }
  await metadata.transact(async (tx) => {
    await insertOrganization(tx, { name: 'acme', visibility: 'public', now: 1 })
    await insertOrganization(tx, { name: 'vault', visibility: 'private', now: 1 })
    await setOwnerVisibility(tx, { name: 'hana', visibility: 'private' })
    for (const name of ['acme/web', 'vault/web', 'hana/web'].map(parseRepositoryName)) {
      await ensureRepository(tx, { name, visibility: 'private', now: 1 })
    }
  })
  for (const name of ['acme+ci', 'vault+ci', 'hana+ci']) await auth.robots.create(name, tester)
  for (const organization of ['acme', 'vault']) {
    await packages.teams.create({ organization, team: 'core' }, tester)
  }
  const role = 'writer'
  for (const user of ['mia', 'dora-member', 'root-member', 'plain-member-0', 'plain-member-1']) {
    await packages.members.add({ organization: 'acme', user, role }, tester)
    await packages.teams.addMember({ organization: 'acme', team: 'core' }, user, tester)
  }
  await packages.members.add({ organization: 'acme', user: 'alice', role: 'owner' }, tester)
  for (const name of ['dora', 'dora-member']) await auth.accounts.disable(name, tester)
})

const names = ['owner', 'user', 'robot', 'team', 'repository', 'principal', 'to', 'name', 'actor', 'target']
/** Fields that take text, but not the name of an account or an owner. */
const others = [
  'action', 'role', 'actions', 'repositories', 'visibility', 'kind', 'outcome', 'since', 'until', 'expiresAt',
  'password', 'oldPassword', 'newPassword', 'limit', 'after', 'grant', 'token', 'session', 'purge', 'disabled',
  'isAdmin', 'adopt', 'overlapSeconds', 'revokeTokens',
] // prettier-ignore

/** Fields for a new name; another test covers them. */
const takesNewName = ['renameOrganization body.name', 'register body.name']

type Part = 'params' | 'query' | 'body'

interface Probe {
  readonly endpoint: Endpoint
  readonly part: Part
  readonly field: string
}

function fieldsOf(schema: z.ZodType | undefined): string[] {
  return schema === undefined ? [] : Object.keys((schema as z.ZodObject).shape ?? {})
}

const fields: readonly Probe[] = endpoints.flatMap((endpoint) =>
  (['params', 'query', 'body'] as const).flatMap((part) =>
    fieldsOf(endpoint[part]).map((field) => ({ endpoint, part, field })),
  ),
)

function titleOf({ endpoint, part, field }: Probe): string {
  return `${endpoint.id} ${part}.${field}`
}

const probes = fields.filter((probe) => names.includes(probe.field) && !takesNewName.includes(titleOf(probe)))

/** Valid values for the owner of acme. */
const usual = {
  params: {
    owner: 'acme', user: 'mia', robot: 'ci', team: 'core', repository: 'acme/web', role: 'reader', grant: '1', token: '1', session: '1',
  },
  query: { principal: 'mia', action: 'pull', repositories: '**' },
  body: { role: 'reader', to: 'mia', repositories: '**', name: 'fresh', password: 'a password of some length', visibility: 'public', actions: ['pull'] },
} // prettier-ignore

function requiredOf(endpoint: Endpoint, part: Part): Record<string, unknown> {
  const shape = ((endpoint[part] as z.ZodObject | undefined)?.shape ?? {}) as Record<string, z.ZodType>
  const needed = Object.keys(shape).filter((field) => shape[field]?.safeParse(undefined).success === false)
  return Object.fromEntries(needed.map((field) => [field, (usual[part] as Record<string, unknown>)[field]]))
}

async function send({ endpoint, part, field }: Probe, as: string, name: string): Promise<string> {
  const input = { params: {}, query: {}, body: {} } as Record<Part, Record<string, unknown>>
  for (const one of ['params', 'query', 'body'] as const) input[one] = requiredOf(endpoint, one)
  input[part][field] = name
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(String(input.params[key])),
  )
  const query = new URLSearchParams(input.query as Record<string, string>).toString()
  const answer = await askApi(registry.url, query === '' ? path : `${path}?${query}`, {
    method: endpoint.method,
    as,
    ...(endpoint.body !== undefined && { json: input.body }),
  })
  return `${answer.status} ${normalise(answer.text(), name)}`
}

function normalise(text: string, name: string): string {
  return (
    text
      .replaceAll(/"(?:secret|hint)":"[^"]*"/g, '')
      .replaceAll(/"requestId":"[^"]*"/g, '')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
      .replaceAll(name, '<name>')
      // Of a repository, its owner; of a robot, the name before the plus sign.
      .replaceAll(name.split(/[+/]/)[0] ?? name, '<owner>')
      .replaceAll(/("id":|grant(?:":)? ?)\d+/g, '$1<id>')
  )
}

describe('B6: hidden and absent', () => {
  test('every field is classified as a name or not', () => {
    const known = new Set([...names, ...others])
    expect([...new Set(fields.map(({ field }) => field))].filter((field) => !known.has(field))).toEqual([])
    expect(fields.map(titleOf)).toEqual(expect.arrayContaining(takesNewName))
  })

  test('a field that names an account of any owner is marked in the table', () => {
    const open = fields.filter(({ field }) => ['principal', 'to'].includes(field))
    for (const { endpoint, part, field } of open) expect(endpoint.account).toBe(`${part}.${field}`)
    expect(open).not.toEqual([])
  })

  test('resources of an owner reveal nothing about the state of others', async () => {
    const list = async (path: string) => {
      const items = (await askApi(registry.url, path, { as: 'alice' })).value['items'] as { name: string }[]
      return items.map(({ name }) => name)
    }
    const holders = await list('/access/who-can/acme?action=push&repositories=**')
    expect(holders).toEqual(expect.arrayContaining(['dora-member', 'root-member', 'mia']))
    expect(holders).not.toContain('root')
    const told = await askApi(registry.url, '/access/who-can/acme?action=push&repositories=**', {
      as: 'root',
    })
    const toldNames = (told.value['items'] as { name: string }[]).map(({ name }) => name)
    expect(toldNames).toContain('root')
    expect(toldNames).not.toContain('dora-member')
  })

  test('a hidden account is visible where it has a grant, which the owner can list', async () => {
    const { grants } = registry.app.auth
    const explain = (name: string) =>
      askApi(registry.url, `/access/explain/acme%2Fweb?principal=${name}&action=pull`, { as: 'alice' })
    expect((await explain('hana%2Bci')).status).toBe(404)
    const granted = { owner: 'acme', repositories: '**', role: 'reader', to: 'hana+ci' }
    const { id } = await grants.add(granted, tester)
    expect((await explain('hana%2Bci')).value).toMatchObject({ allowed: true, grant: id })
    await grants.remove(id, tester)
    expect((await explain('hana%2Bci')).status).toBe(404)
    // An owner knows its own robots, hidden or not.
    expect((await explain('acme%2Bci')).status).toBe(200)
  })

  test.each(probes.map((probe) => [titleOf(probe), probe] as const))('%s', async (_, probe) => {
    let accepted = 0
    for (const as of callers) {
      for (const [one, other] of pairs) {
        const [first, second] = [await send(probe, as, one), await send(probe, as, other)]
        expect(`${as} ${one}: ${first}`).toBe(`${as} ${one}: ${second}`)
        if (!first.startsWith('400 ')) accepted++
      }
    }
    expect(accepted).toBeGreaterThan(0)
  })

  test('access tokens of others are unknown, tokens of own robots are explained', async () => {
    const { accounts, accessTokens, robots } = registry.app.auth
    const make = async (account: { id: number } | undefined) =>
      (await accessTokens.create(account?.id ?? 0, { name: 'probe', actions: ['pull'] }, tester)).token.id
    const explain = async (principal: string, token: number) => {
      const query = new URLSearchParams({ principal, action: 'push', token: String(token) }).toString()
      const answer = await askApi(registry.url, `/access/explain/acme%2Fweb?${query}`, { as: 'alice' })
      return `${answer.status} ${normalise(answer.text(), String(token))}`
    }
    const [ofBob, ofRobot] = [
      await make(await accounts.find('bob')),
      await make(await robots.find('acme+ci')),
    ]
    expect(await explain('bob', ofBob)).toBe(await explain('bob', 999_999))
    expect(await explain('bob', ofBob)).toMatch(/^404 /)
    expect(await explain('acme+ci', ofRobot)).toContain('the access token is limited')
  })

  test('an administrator of a single repository learns no more about accounts than others', async () => {
    const { accounts, accessTokens, grants, robots } = registry.app.auth
    const packages = openServices()
    for (const name of ['rita', 'hugo', 'mona', 'mona-out']) {
      await accounts.add({ name, password: passwordOf(name), isAdmin: false }, tester)
    }
    await packages.owners.setVisibility('hugo', 'private', tester)
    await packages.members.add({ organization: 'acme', user: 'hugo', role: 'reader' }, tester)
    for (const owner of ['acme', 'mona', 'mona-out']) {
      await grants.add({ owner, repositories: 'web', role: 'owner', to: 'rita' }, tester)
    }
    await robots.create('acme+out', tester)
    await robots.disable('acme+out', tester)
    await accounts.disable('mona-out', tester)
    const explain = async (repository: string, principal: string, token?: number) => {
      const query = new URLSearchParams({ principal, action: 'pull', ...(token && { token: `${token}` }) })
      const path = `/access/explain/${encodeURIComponent(repository)}?${query.toString()}`
      const answer = await askApi(registry.url, path, { as: 'rita' })
      const text = answer.text().replaceAll(repository, '<repository>').replaceAll(principal, '<account>')
      const known = normalise(text, 'rita')
      return `${answer.status} ${known.replace(`access token ${token ?? ''}`, 'access token <id>')}`
    }
    // A hidden member of the organization, whom rita cannot list.
    expect(await explain('acme/web', 'hugo')).toBe(await explain('acme/web', 'absent-9'))
    expect(await explain('acme/web', 'acme+out')).toBe(await explain('acme/web', 'acme+ci'))
    expect(await explain('mona-out/web', 'mona-out')).toBe(await explain('mona/web', 'mona'))
    for (const account of [await accounts.find('mona'), await robots.find('acme+ci')]) {
      const request = { name: 'probe', actions: ['push' as const] }
      const made = await accessTokens.create(account?.id ?? 0, request, tester)
      const repository = made.principal === 'mona' ? 'mona/web' : 'acme/web'
      const told = await explain(repository, made.principal, made.token.id)
      expect(told).toMatch(/^404 /)
      expect(told).toBe(await explain(repository, made.principal, 999_999))
    }
  })

  test('access tokens of a user are visible only to the user and to administrators, not to administrators of the repository', async () => {
    const { accounts, accessTokens, grants, robots } = registry.app.auth
    for (const name of ['pia', 'piet']) {
      await accounts.add({ name, password: passwordOf(name), isAdmin: false }, tester)
    }
    await grants.add({ owner: 'pia', repositories: '**', role: 'owner', to: 'piet' }, tester)
    await robots.create('pia+ci', tester)
    const [pia, robot] = [(await accounts.find('pia'))?.id ?? 0, (await robots.find('pia+ci'))?.id ?? 0]
    const make = (id: number, request: object) =>
      accessTokens.create(id, { name: 'probe', ...request }, tester)
    const [usual, revoked] = [await make(pia, {}), await make(pia, {})]
    await accessTokens.revoke(revoked.token.id, tester)
    const limited = await make(pia, { actions: ['pull'] })
    const narrow = await make(pia, { patterns: [parseRepositoryPattern('pia/**')] })
    const ofRobot = await make(robot, { actions: ['pull'] })
    const explain = async (by: { as: string } | { secret: string }, principal: string, token: number) => {
      const query = new URLSearchParams({ principal, action: 'push', token: `${token}` }).toString()
      const headers = 'secret' in by ? { headers: { authorization: `Bearer ${by.secret}` } } : by
      const answer = await askApi(registry.url, `/access/explain/pia%2Fweb?${query}`, headers)
      const text = answer.text().replaceAll(/access token \d+/g, 'access token <id>')
      return `${answer.status} ${normalise(text, principal)}`
    }
    // The narrow token does not see itself, either.
    const ids = [usual, revoked, limited, narrow].map(({ token }) => token.id)
    for (const by of [{ as: 'piet' }, narrow]) {
      const absent = await explain(by, 'pia', 999_999)
      expect(absent).toMatch(/^404 /)
      for (const id of ids) expect(await explain(by, 'pia', id)).toBe(absent)
      expect(await explain(by, 'pia+ci', ofRobot.token.id)).toContain('the access token is limited')
    }
    for (const by of [{ as: 'pia' }, { as: 'root' }, usual]) {
      expect(await explain(by, 'pia', revoked.token.id)).toContain('is revoked')
      expect(await explain(by, 'pia', limited.token.id)).toContain('the access token is limited')
      expect(await explain(by, 'pia+ci', ofRobot.token.id)).toContain('the access token is limited')
    }
  })

  test('a former name is explained to those who administer the repository, and leads nobody else to the new one', async () => {
    const { owners, members } = openServices()
    await owners.createOrganization({ name: 'early', visibility: 'private' }, tester)
    await members.add({ organization: 'early', user: 'alice', role: 'owner' }, tester)
    await owners.rename({ name: 'early', newName: 'later' }, tester)
    const explain = async (as: string, name: string) => {
      const path = `/access/explain/${name}%2Fweb?principal=mia&action=pull`
      const answer = await askApi(registry.url, path, { as })
      return `${answer.status} ${normalise(answer.text(), name)}`
    }
    expect(await explain('alice', 'early')).toMatch(/^200 .*a grant of reader on later\/web would allow it/)
    expect(await explain('bob', 'early')).toBe(await explain('bob', 'nobody-had-it'))
    expect(await explain('bob', 'early')).toMatch(/^403 /)
    // An administrator's access token that reaches the former name alone.
    const { accounts, accessTokens } = registry.app.auth
    const request = { name: 'narrow', patterns: [parseRepositoryPattern('earl*/**')] }
    const { secret } = await accessTokens.create((await accounts.find('root'))?.id ?? 0, request, tester)
    const path = '/access/explain/early%2Fweb?principal=mia&action=pull'
    const narrow = { headers: { authorization: `Bearer ${secret}` } }
    expect((await askApi(registry.url, path, narrow)).status).toBe(403)
  })

  test('own rights by a former name are what requests by it may do: pulls, for those who may pull by the new one', async () => {
    const { owners, members } = openServices()
    await owners.createOrganization({ name: 'first', visibility: 'private' }, tester)
    await members.add({ organization: 'first', user: 'alice', role: 'owner' }, tester)
    await owners.rename({ name: 'first', newName: 'second' }, tester)
    const rightsOf = async (as: string, owner: string) => {
      const answer = await askApi(registry.url, `/me/rights?repository=${owner}%2Fweb`, { as })
      expect(answer.value['repository']).toBe(`${owner}/web`)
      return answer.value['permissions']
    }
    expect(await rightsOf('alice', 'first')).toEqual(['pull'])
    expect(await rightsOf('alice', 'second')).toContain('administer')
    expect(await rightsOf('root', 'first')).toEqual(['pull'])
    expect(await rightsOf('bob', 'first')).toEqual([])
  })

  test('a taken name is refused in the same way for any present or former owner', async () => {
    await openServices().owners.createOrganization({ name: 'before', visibility: 'private' }, tester)
    await openServices().owners.rename({ name: 'before', newName: 'after' }, tester)
    const taken = ['hana', 'vault', 'bob', 'before', 'dora']
    const rename = async (name: string) => {
      const answer = await askApi(registry.url, '/owners/acme/rename', { as: 'alice', json: { name } })
      return `${answer.status} ${normalise(answer.text(), name)}`
    }
    const register = async (name: string) => {
      const json = { name, password: 'a password of some length' }
      const answer = await askApi(registry.url, '/registrations', { json })
      return `${answer.status} ${normalise(answer.text(), name)}`
    }
    for (const ask of [rename, register]) {
      const answers: string[] = []
      for (const name of taken) answers.push(await ask(name))
      expect(answers[0]).toMatch(/^409 /)
      expect(answers).toEqual(taken.map(() => answers[0]))
    }
  })
})
