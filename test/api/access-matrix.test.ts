/**
 * Tests access to every endpoint of the management API, for every principal and for owners and repositories of every visibility.
 * Requests name missing things and have empty bodies, so that permitted requests change nothing.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Access, Endpoint } from '../../src/api/endpoint.ts'
import { endpoints } from '../../src/api/endpoints.ts'
import type { RoleAction } from '../../src/access/permissions.ts'
import { openAccessScene, principals, visibilities } from '../support/scenes/access-scene.ts'
import type { AccessScene, PrincipalName } from '../support/scenes/access-scene.ts'
import { askApi } from '../support/http/api-client.ts'
import { tester } from '../support/parts/tester.ts'

type Visibility = (typeof visibilities)[number]

const always: readonly Visibility[] = visibilities
const open: readonly Visibility[] = ['public', 'internal']
const never: readonly Visibility[] = []

const outsider = {
  public: always,
  user: never,
  self: never,
  administrator: never,
  'owner:see': never,
  'owner:administer': never,
  'repository:pull': ['public'],
  'repository:manage': never,
  'repository:delete': never,
  'repository:administer': never,
} satisfies Record<Access, readonly Visibility[]>

type Row = Readonly<Record<Access, readonly Visibility[]>>

const account: Row = { ...outsider, user: always, 'owner:see': ['public'] }
const user: Row = { ...account, self: always, 'owner:see': open, 'repository:pull': open }
const reader: Row = { ...user, 'owner:see': always, 'repository:pull': always }
const maintainer: Row = {
  ...reader,
  'repository:manage': always,
  'repository:delete': always,
}
const chief: Row = {
  ...maintainer,
  'owner:administer': always,
  'repository:administer': always,
}

/** The visibilities for which each access is granted: the owner and the repository below it have the same visibility. */
const table: Record<PrincipalName, Row | 'holds nowhere'> = {
  anonymous: outsider,
  stranger: user,
  reader,
  writer: reader,
  maintainer,
  chief,
  creator: reader,
  robot: { ...account, 'owner:see': always, 'repository:pull': always },
  'expired token': 'holds nowhere',
  'narrowed token': { ...account, 'owner:see': open },
  'disabled user': 'holds nowhere',
  'robot of disabled user': 'holds nowhere',
  administrator: { ...chief, administrator: always },
}

let scene: AccessScene

beforeAll(async () => {
  scene = await openAccessScene()
})

afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

function fillPath({ path, method }: Endpoint, visibility: Visibility): string {
  const repository = method === 'GET' ? visibility : 'absent'
  return path
    .replace('{owner}', `${visibility}-owner`)
    .replace('{repository}', encodeURIComponent(`${visibility}-owner/${repository}`))
    .replace(/\{(?:grant|token|session)\}/, '999999')
    .replace(/\{\w+\}/g, 'absent')
}

async function statusOf(
  endpoint: Endpoint,
  principal: PrincipalName,
  visibility: Visibility,
): Promise<number> {
  const authorization = scene.credential(principal, `${visibility}-owner`)
  const answer = await askApi(scene.registry.url, fillPath(endpoint, visibility), {
    method: endpoint.method,
    ...(endpoint.body !== undefined && { json: {} }),
    headers: authorization === undefined ? {} : { authorization },
  })
  return answer.status
}

const permissions: Readonly<Partial<Record<Access, readonly RoleAction[]>>> = {
  'repository:pull': ['pull'],
  'repository:manage': ['manage'],
  'repository:delete': ['delete', 'manage'],
  'repository:administer': ['administer'],
}

/**
 * Returns whether the explanations allow all actions that the endpoint needs in the repository; `undefined` if it needs none
 * there.
 */
async function explain(
  { access, method }: Endpoint,
  principal: PrincipalName,
  visibility: Visibility,
): Promise<boolean | undefined> {
  const asked = permissions[access]
  if (asked === undefined) return undefined
  const owner = `${visibility}-owner`
  const repository = `${owner}/${method === 'GET' ? visibility : 'absent'}`
  const subject = scene.subject(principal, owner)
  const explain = (action: RoleAction) =>
    scene.registry.app.auth.access.explain({ ...subject, action, repository })
  const found = await Promise.all(asked.map(explain))
  return found.every(({ allowed }) => allowed)
}

/** Principals whose credentials cannot give access to others: see `gives` of an endpoint. */
const limited: ReadonlySet<PrincipalName> = new Set<PrincipalName>(['robot', 'narrowed token'])

function expectedOf(
  principal: PrincipalName,
  { access, gives }: Pick<Endpoint, 'access' | 'gives'>,
  visibility: Visibility,
): string {
  const row = table[principal]
  // A public endpoint does not check credentials, not even invalid ones.
  if (access === 'public') return 'in'
  if (row === 'holds nowhere') return '401'
  if (gives !== undefined && limited.has(principal)) return '403'
  if (row[access].includes(visibility)) return 'in'
  if (principal === 'anonymous') return '401'
  return access === 'owner:see' ? '404' : '403'
}

describe('B4: the access matrix of the management API', () => {
  test.each(endpoints.map((endpoint) => ({ ...endpoint })))('$method $path: $access', async (endpoint) => {
    for (const principal of principals) {
      for (const visibility of endpoint.path.includes('{') ? visibilities : (['public'] as const)) {
        const status = await statusOf(endpoint, principal, visibility)
        const refusals = endpoint.access === 'owner:see' ? [401, 403, 404] : [401, 403]
        const outcome = refusals.includes(status) ? String(status) : 'in'
        const cell = `${principal}, ${visibility}: `
        expect(cell + outcome).toBe(cell + expectedOf(principal, endpoint, visibility))
        expect(status).toBeLessThan(500)
        const explained = (await explain(endpoint, principal, visibility)) ?? outcome === 'in'
        expect(`${cell}${explained}`).toBe(`${cell}${outcome === 'in'}`)
      }
    }
  })
})

/** Limited credentials, tested with the administrator's own access token, which has no other restrictions. */
test.each(endpoints.map((endpoint) => ({ ...endpoint })))(
  'C5: $method $path by an access token of an administrator: gives $gives',
  async (endpoint) => {
    const { accounts, accessTokens } = scene.registry.app.auth
    const root = await accounts.find('root')
    if (root === undefined) throw new Error('root not found')
    const { token, secret } = await accessTokens.create(root.id, { name: 'whole' }, tester)
    const json = endpoint.body === undefined ? {} : { json: {} }
    const headers = { authorization: `Bearer ${secret}` }
    const path = fillPath(endpoint, 'public')
    const { status } = await askApi(scene.registry.url, path, { method: endpoint.method, headers, ...json })
    expect(status === 403).toBe(endpoint.gives !== undefined)
    expect(status).not.toBe(401)
    await accessTokens.revoke(token.id, tester)
  },
)
