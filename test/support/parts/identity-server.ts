/**
 * @module A registry with users over HTTP: the real identity services on the database of `openServer`. Passwords are hashed
 * cheaply and failed logins are not delayed; everything else is as in production.
 */
import { createAuth } from '../../../src/auth.ts'
import type { Auth, AuthDeps } from '../../../src/auth.ts'
import { createPasswordHasher } from '../../../src/identity/passwords/password-hash.ts'
import type { Policy } from '../../../src/access/policy.ts'
import { systemIds } from '../../../src/lib/ids.ts'
import { ensureRepository, setRepositoryVisibility } from '../../../src/metadata/repositories/repositories.ts'
import { parseRepositoryName } from '../../../src/oci/repository-name.ts'
import { ask } from '../http/client.ts'
import { openPolicy } from './open-identity.ts'
import { openServer } from './open-server.ts'
import type { OpenServer, OpenServerOptions } from './open-server.ts'
import { tester } from './tester.ts'

type Settings = Pick<
  AuthDeps,
  'anonymous' | 'newRepositoryVisibility' | 'tokenLifetimeMs' | 'refreshTokens' | 'throttle' | 'passwords'
>

export interface IdentityServerOptions extends Partial<Settings> {
  readonly server?: Omit<OpenServerOptions, 'wire'>
}

export interface IdentityServer extends OpenServer {
  readonly auth: Auth
  /** Adds a user with the password of `passwordOf`. */
  addUser(name: string, options?: { readonly isAdmin?: boolean }): Promise<void>
  addRepository(name: string, visibility: 'public' | 'internal' | 'private'): Promise<void>
  /** Returns the `Authorization` header with a token of the token endpoint; without a name, an anonymous token. */
  bearer(scopes: readonly string[], name?: string): Promise<string>
}

export function passwordOf(name: string): string {
  return `secret of ${name}`
}

export function basic(name: string, password = passwordOf(name)): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

export async function openIdentityServer(options: IdentityServerOptions = {}): Promise<IdentityServer> {
  const { server: serverOptions, ...settings } = options
  await using stack = new AsyncDisposableStack()
  let policy: Policy = openPolicy
  let auth: Auth | undefined
  const server = stack.use(
    await openServer({
      ...serverOptions,
      registry: {
        policy: {
          visibleTo: (principal) => policy.visibleTo(principal),
          newRepositoryVisibility: (...args) => policy.newRepositoryVisibility(...args),
        },
      },
      wire({ metadata, clock, audit }, parts) {
        auth = createAuth({
          metadata,
          clock,
          installationId: systemIds.storageKey(),
          anonymous: 'pull',
          newRepositoryVisibility: 'private',
          tokenLifetimeMs: 15 * 60_000,
          refreshTokens: false,
          selfRegistration: false,
          initialPasswordFile: '/nowhere/admin-password',
          sessionIdleMs: 12 * 60 * 60_000,
          sessionLifetimeMs: 7 * 24 * 60 * 60_000,
          audit,
          onError: (error) => {
            throw error
          },
          passwords: createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } }),
          throttle: { sleep: () => Promise.resolve() },
          ...settings,
        })
        parts.use(auth)
        policy = auth.policy
        return {
          policy,
          formerNames: auth.formerNames,
          authenticator: auth.authenticator,
          tokens: auth.tokens,
        }
      },
    }),
  )
  if (auth === undefined) throw new Error('the server was not wired')
  const { accounts } = auth
  const resources = stack.move()
  return {
    ...server,
    auth,
    addUser: (name, { isAdmin = false } = {}) =>
      accounts.add({ name, password: passwordOf(name), isAdmin }, tester),
    async addRepository(text, visibility) {
      const name = parseRepositoryName(text)
      const { metadata, clock } = server.registry
      await metadata.transact(async (tx) => {
        await ensureRepository(tx, { name, visibility, now: clock.now() })
        await setRepositoryVisibility(tx, { name, visibility })
      })
    },
    bearer: (scopes, name) => getBearer(server.url, scopes, name),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function getBearer(url: string, scopes: readonly string[], name?: string): Promise<string> {
  const query = new URLSearchParams(scopes.map((scope) => ['scope', scope]))
  const answer = await ask(`${url}/v2/token?${query.toString()}`, {
    headers: name === undefined ? {} : { authorization: basic(name) },
  })
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text()}`)
  return `Bearer ${(answer.json() as { token: string }).token}`
}
