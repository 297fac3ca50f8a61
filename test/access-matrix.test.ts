/** Tests rights cell by cell: every principal, every visibility of owner and repository, and every action. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Holder } from '../src/access/explain/access-explain.ts'
import {
  mountTarget,
  openAccessScene,
  principals,
  repositories,
  resetTags,
} from './support/scenes/access-scene.ts'
import type { AccessScene, PrincipalName, Subject } from './support/scenes/access-scene.ts'
import { ask } from './support/http/client.ts'
import type { Answer } from './support/http/client.ts'
import { basic } from './support/parts/identity-server.ts'

/**
 * The allowed actions: r pull, c push a new tag, u move a tag, d delete, m mount from there, l see in the catalog. Columns: the
 * nine repositories, public, internal and private ones of a public owner, then of an internal and of a private one. 401: the
 * credential is not valid anywhere.
 */
// oxfmt-ignore
const table: Record<PrincipalName, string> = {
  'anonymous':      'r-----   ------   ------   ------   ------   ------   ------   ------   ------',
  'stranger':       'r---lm   r---lm   ------   r---lm   r---lm   ------   ------   ------   ------',
  'reader':         'r---lm   r---lm   r---lm   r---lm   r---lm   r---lm   r---lm   r---lm   r---lm',
  'writer':         'rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm',
  'maintainer':     'rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm',
  'chief':          'rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm',
  'creator':        'rc--lm   rc--lm   rc--lm   rc--lm   rc--lm   rc--lm   rc--lm   rc--lm   rc--lm',
  'robot':          'rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm   rcu-lm',
  'expired token':  '401      401      401      401      401      401      401      401      401',
  'narrowed token': 'r---l-   ------   ------   r---l-   ------   ------   r---l-   ------   ------',
  'disabled user':  '401      401      401      401      401      401      401      401      401',
  'robot of disabled user':
                    '401      401      401      401      401      401      401      401      401',
  'administrator':  'rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm   rcudlm',
}

const cells = principals.flatMap((principal) =>
  table[principal].split(/ +/).map((expected, index) => {
    return { principal, repository: repositories[index] ?? '', expected }
  }),
)

interface Cell {
  readonly scene: AccessScene
  readonly principal: PrincipalName
  readonly repository: string
  readonly authorization: string | undefined
  readonly subject: Subject
}

type Attempt = (cell: Cell) => Promise<Answer>

/** The statuses of allowed actions; other actions get 401 for anonymous and 403 for all others. */
const attempts: Readonly<Record<'r' | 'c' | 'u' | 'd', readonly [status: number, attempt: Attempt]>> = {
  r: [200, (cell) => send(cell, 'GET', 'manifests/latest')],
  c: [
    201,
    (cell) => send(cell, 'PUT', `manifests/new-${cell.principal.replace(' ', '-')}`, cell.scene.image),
  ],
  u: [201, (cell) => send(cell, 'PUT', 'manifests/latest', cell.scene.other)],
  d: [202, (cell) => send(cell, 'DELETE', 'manifests/disposable')],
}

function send(
  { scene, repository, authorization }: Cell,
  method: string,
  path: string,
  manifest?: AccessScene['image'],
): Promise<Answer> {
  return ask(`${scene.registry.url}/v2/${repository}/${path}`, {
    method,
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(manifest !== undefined && { 'content-type': manifest.mediaType }),
    },
    ...(manifest !== undefined && { body: manifest.bytes }),
  })
}

async function tryLetters(cell: Cell): Promise<string> {
  let letters = ''
  for (const [letter, [status, attempt]] of Object.entries(attempts)) {
    const answer = await attempt(cell)
    letters += answer.status === status ? letter : '-'
    if (answer.status === status) continue
    const refusal = cell.authorization === undefined ? 401 : 403
    expect(answer.status, `${letter}: ${answer.text()}`).toBe(refusal)
  }
  return letters + (await listed(cell)) + (await mounted(cell))
}

async function listed(cell: Cell): Promise<'l' | '-'> {
  const answer = await ask(`${cell.scene.registry.url}/v2/_catalog`, { headers: headersOf(cell) })
  // Without a token a request may get 401; for requests with one, see the tests of tokens.
  if (cell.authorization === undefined && answer.status === 401) return '-'
  expect(answer.status).toBe(200)
  const { repositories: names } = answer.json() as { repositories: string[] }
  return names.includes(cell.repository) ? 'l' : '-'
}

/**
 * Returns whether the mount succeeds. If it is not allowed, the client has to upload: 202 does not reveal whether the blob
 * exists.
 */
async function mounted(cell: Cell): Promise<'m' | '-'> {
  const { scene, repository } = cell
  const digest = scene.blobs.get(repository) ?? ''
  const target = `${scene.registry.url}/v2/${mountTarget}/blobs/`
  const answer = await ask(`${target}uploads/?mount=${digest}&from=${repository}`, {
    method: 'POST',
    headers: headersOf(cell),
  })
  if (answer.status === 201) {
    await ask(target + digest, { method: 'DELETE', headers: { authorization: basic('root') } })
    return 'm'
  }
  expect([202, cell.authorization === undefined ? 401 : 403]).toContain(answer.status)
  return '-'
}

function headersOf({ authorization }: Cell): Record<string, string> {
  return authorization === undefined ? {} : { authorization }
}

const actions = [
  ['r', 'pull'],
  ['c', 'push:create'],
  ['u', 'push:update'],
  ['d', 'delete'],
] as const

/** Returns the actions that the explanations allow. */
async function explainLetters({ scene, repository, subject }: Cell): Promise<string> {
  const { access } = scene.registry.app.auth
  const letters = actions.map(async ([letter, action]) => {
    const { allowed } = await access.explain({ ...subject, action, repository })
    return allowed ? letter : '-'
  })
  return (await Promise.all(letters)).join('')
}

const lists = new Map<string, Promise<readonly Holder[]>>()

/** Lists the holders of a right. Rights do not change here, so each list is read once. */
function listHolders(
  { registry }: AccessScene,
  action: (typeof actions)[number][1],
  repository: string,
): Promise<readonly Holder[]> {
  const slash = repository.indexOf('/')
  const asked = {
    owner: repository.slice(0, slash),
    repositories: repository.slice(slash + 1),
    action,
    limit: 100,
  }
  const key = `${action} ${repository}`
  const list = lists.get(key) ?? registry.app.auth.access.whoCan(asked).then(({ holders }) => holders)
  lists.set(key, list)
  return list
}

function isToken({ principal }: Cell): boolean {
  return principal.endsWith(' token')
}

/** Returns the actions for which the list of holders has the principal; it lists accounts, not their access tokens. */
async function listLetters(cell: Cell): Promise<string | undefined> {
  if (isToken(cell)) return undefined
  const { scene, principal, repository, subject } = cell
  const { accounts } = scene.registry.app.auth
  const account = await accounts.find(subject.principal)
  const letters = actions.map(async ([letter, action]) => {
    const holders = await listHolders(scene, action, repository)
    const isListed = holders.some(({ kind, name }) => {
      if (kind === 'anyone') return principal === 'anonymous' || account?.disabled === false
      if (kind === 'users') return account?.disabled === false
      return name === subject.principal
    })
    return isListed ? letter : '-'
  })
  return (await Promise.all(letters)).join('')
}

let scene: AccessScene

beforeAll(async () => {
  scene = await openAccessScene()
})

afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

function aCell({ principal, repository }: Pick<Cell, 'principal' | 'repository'>): Cell {
  const authorization = scene.credential(principal, repository.slice(0, repository.indexOf('/')))
  const subject = scene.subject(principal, repository.slice(0, repository.indexOf('/')))
  return { scene, principal, repository, authorization, subject }
}

const [outside, inside] = [true, false].map((is) =>
  cells.filter(({ expected }) => (expected === '401') === is),
)

describe('B4: the access matrix of the registry', () => {
  test.each(inside ?? [])('$principal in $repository: $expected', async (asked) => {
    await resetTags(scene, asked.repository)
    const cell = aCell(asked)
    expect(await tryLetters(cell)).toBe(asked.expected)
    expect(await explainLetters(cell)).toBe(asked.expected.slice(0, 4))
    expect(await listLetters(cell)).toBe(isToken(cell) ? undefined : asked.expected.slice(0, 4))
  })

  test.each(outside ?? [])('C2: $principal in $repository: 401 for everything', async (asked) => {
    const cell = aCell(asked)
    for (const [, attempt] of Object.values(attempts)) expect((await attempt(cell)).status).toBe(401)
    expect(await explainLetters(cell)).toBe('----')
    expect(await listLetters(cell)).toBe(isToken(cell) ? undefined : '----')
  })

  test.each(cells)('by a former name: $principal in $repository', async (asked) => {
    const repository = asked.repository.replace('-owner/', '-former/')
    const cell = { ...aCell(asked), repository }
    const served = asked.expected.startsWith('r') ? 'r---' : '----'
    let letters = ''
    for (const [letter, [status, attempt]] of Object.entries(attempts)) {
      letters += (await attempt(cell)).status === status ? letter : '-'
    }
    expect(letters).toBe(served)
    expect(await explainLetters(cell)).toBe(served)
    expect(await listLetters(cell)).toBe(isToken(cell) ? undefined : served)
  })
})
