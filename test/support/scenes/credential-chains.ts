/**
 * @module One user with a credential of each kind, made with its password or with another credential, and the actor behind each.
 */
import type { Auth } from '../../../src/auth.ts'
import { actorOf } from '../../../src/identity/actor.ts'
import { askApi } from '../http/api-client.ts'
import { ask } from '../http/client.ts'
import { basic, passwordOf } from '../parts/identity-server.ts'
import type { InProcessRegistry } from '../parts/in-process.ts'

export type Made =
  | 'session'
  | 'access token'
  | 'access token that rotated itself'
  | 'bearer of the password'
  | 'bearer of the access token'
  | 'refresh token'
  | 'bearer of the refresh token'
  | 'token of its robot'
  | "token of an organization's robot"

type TokenKind = Extract<Made, `access token${string}` | `token of ${string}`>

export interface Token {
  readonly id: number
  readonly secret: string
}

type Credential =
  | { readonly kind: 'token' | 'bearer' | 'refresh'; readonly secret: string }
  | { readonly kind: 'session'; readonly secret: string; readonly csrf: string }

type Registry = Pick<InProcessRegistry, 'url' | 'app' | 'clock'>
type Asking = (method: string, path: string, json?: unknown) => Promise<number>

export interface Maker {
  readonly asking: Asking
  readonly user: string
  /** An organization that the user owns. */
  readonly org: string
  /** The id of another access token of the user. */
  readonly otherToken: number
  readonly unique: () => string
}

export interface Chains {
  readonly auth: Auth
  readonly user: string
  readonly tokens: Readonly<Record<TokenKind, Token>>
  /** The id of the token that rotated itself. */
  readonly rotatedFrom: number
  /** The expiry of each access token. */
  readonly expiresAt: number
  readonly asRoot: Asking
  as(kind: Made | 'password'): Maker
  changePassword(options: { readonly revokeTokens?: boolean }): Promise<void>
  /** Returns the credentials that are still accepted, sorted. */
  holding(): Promise<Made[]>
}

const dayMs = 24 * 60 * 60_000
let names = 0

/** Makes the credentials of a user, and the user if it does not exist. */
export async function makeChains(registry: Registry, user: string): Promise<Chains> {
  const { url, clock } = registry
  const { auth } = registry.app
  const expiresAt = clock.now() + 30 * dayMs
  const org = `${user}-org`
  const asRoot = askingWith(url, { authorization: basic('root') })
  await addPeople(registry, { user, org })
  const actor = await passwordActor(auth, user)
  const make = async (account: string, name: string): Promise<Token> => {
    const found = (await auth.accounts.find(account)) ?? (await auth.robots.find(account))
    if (found === undefined) throw new Error(`account ${account} not found`)
    const { token, secret } = await auth.accessTokens.create(found.id, { name, expiresAt }, actor)
    return { id: token.id, secret }
  }
  const first = await make(user, 'rotates')
  const tokens: Chains['tokens'] = {
    'access token': await make(user, 'laptop'),
    'access token that rotated itself': await rotateItself(url, first),
    'token of its robot': await make(`${user}+ci`, 'ci'),
    "token of an organization's robot": await make(`${org}+ci`, 'ci'),
  }
  const made = new Map<Made, Credential>([
    ...Object.entries(tokens).map(([kind, { secret }]) => [kind as Made, { kind: 'token', secret }] as const),
    ...(await logIn(url, user, tokens['access token'])),
  ])
  const authorize = (kind: Made | 'password'): Record<string, string> =>
    kind === 'password' ? { authorization: basic(user) } : headersOf(url, made.get(kind))
  return {
    auth,
    user,
    tokens,
    rotatedFrom: first.id,
    expiresAt,
    asRoot: checked(asRoot),
    as: (kind) => ({
      asking: askingWith(url, authorize(kind)),
      user,
      org,
      otherToken: tokens['access token'].id === idOf(tokens, kind) ? first.id : tokens['access token'].id,
      unique: () => `made-${(names += 1)}`,
    }),
    changePassword: async (options) => {
      const json = { oldPassword: passwordOf(user), password: 'the next password', ...options }
      await checked(askingWith(url, { authorization: basic(user) }))('PUT', '/me/password', json)
    },
    async holding() {
      const held: Made[] = []
      for (const [kind, credential] of made) if (await holds(registry, credential)) held.push(kind)
      return held.toSorted()
    },
  }
}

export async function holds({ url }: Registry, credential: Credential): Promise<boolean> {
  const { kind, secret } = credential
  if (kind === 'refresh') return (await refresh(url, secret)).status === 200
  if (kind === 'bearer') {
    return (await ask(`${url}/v2/`, { headers: { authorization: `Bearer ${secret}` } })).status === 200
  }
  return (await askApi(url, '/me', { headers: headersOf(url, credential) })).status === 200
}

async function addPeople(
  { url, app: { auth } }: Registry,
  { user, org }: { readonly user: string; readonly org: string },
): Promise<void> {
  if ((await auth.accounts.find(user)) !== undefined) return
  const by = { id: 'operator', name: 'test' }
  await auth.accounts.add({ name: user, password: passwordOf(user), isAdmin: false }, by)
  const asRoot = checked(askingWith(url, { authorization: basic('root') }))
  await asRoot('POST', '/owners', { name: org, visibility: 'private' })
  await asRoot('PUT', `/owners/${org}/members/${user}`, { role: 'owner' })
  for (const owner of [user, org]) await auth.robots.create(`${owner}+ci`, by)
  await auth.grants.add({ owner: org, repositories: '**', role: 'owner', to: `${org}+ci` }, by)
}

async function passwordActor({ authenticator }: Auth, name: string): Promise<ReturnType<typeof actorOf>> {
  const origin = { address: '192.0.2.1', client: undefined }
  return actorOf(await authenticator.login({ name, password: passwordOf(name) }, origin), origin)
}

async function rotateItself(url: string, { id, secret }: Token): Promise<Token> {
  const headers = { authorization: `Bearer ${secret}` }
  const { status, value } = await askApi(url, `/me/tokens/${id}/rotate`, { json: {}, headers })
  if (status !== 201) throw new Error(`the token did not rotate itself: ${status}`)
  const rotated = value as { token: { id: number }; secret: string }
  return { id: rotated.token.id, secret: rotated.secret }
}

async function logIn(url: string, user: string, token: Token): Promise<[Made, Credential][]> {
  const issue = async (authorization: string, query = '') =>
    (await ask(`${url}/v2/token?service=lading${query}`, { headers: { authorization } })).json() as {
      token: string
      refresh_token?: string
    }
  const { refresh_token: refreshToken = '' } = await issue(basic(user), '&offline_token=true')
  const refreshed = (await refresh(url, refreshToken)).json() as { token: string }
  const bearer = (secret: string): Credential => ({ kind: 'bearer', secret })
  return [
    ['session', await openSession(url, user)],
    ['bearer of the password', bearer((await issue(basic(user))).token)],
    ['bearer of the access token', bearer((await issue(basic(user, token.secret))).token)],
    ['refresh token', { kind: 'refresh', secret: refreshToken }],
    ['bearer of the refresh token', bearer(refreshed.token)],
  ]
}

async function openSession(url: string, name: string): Promise<Credential> {
  const { headers, value } = await askApi(url, '/session', { json: { name, password: passwordOf(name) } })
  const secret = headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
  return { kind: 'session', secret, csrf: String(value['csrfToken']) }
}

function refresh(url: string, refreshToken: string): ReturnType<typeof ask> {
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken, service: 'lading' }
  return ask(`${url}/v2/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  })
}

function headersOf(url: string, credential: Credential | undefined): Record<string, string> {
  if (credential === undefined) throw new Error('credential not found')
  if (credential.kind !== 'session') return { authorization: `Bearer ${credential.secret}` }
  return { cookie: credential.secret, origin: url, 'x-csrf-token': credential.csrf }
}

function askingWith(url: string, headers: Record<string, string>): Asking {
  return async (method, path, json) => (await askApi(url, path, { method, json, headers })).status
}

function checked(asking: Asking): Asking {
  return async (method, path, json) => {
    const status = await asking(method, path, json)
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}`)
    return status
  }
}

function idOf(tokens: Chains['tokens'], kind: Made | 'password'): number | undefined {
  return Object.entries(tokens).find(([name]) => name === kind)?.[1].id
}
