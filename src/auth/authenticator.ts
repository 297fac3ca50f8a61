/**
 * @module
 * From an `Authorization` header to a principal. What was proven once, by a password hash or a signature, is remembered
 * in bounded memory, a password under a hash that only this process can compute; every request asks whether the account
 * is still as it was, so that a disabled account or a changed password counts at once. It knows nothing of rights: `access-policy.ts` does.
 */
import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { Lru } from '../lib/lru.ts'
import type { LruStats } from '../lib/lru.ts'
import { findAccount, findAccountState, isAccountUnchanged } from '../metadata/accounts.ts'
import type { LoginOutcome } from '../metadata/login-events.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { parseCredentials } from './credentials.ts'
import type { Credentials } from './credentials.ts'
import { invalidToken, TooManyAttemptsError, wrongPassword } from './errors.ts'
import type { Authenticator, Origin } from './identity.ts'
import type { LoginEvents } from './login-events.ts'
import type { LoginThrottle } from './login-throttle.ts'
import type { PasswordHasher } from './password-hash.ts'
import { anonymous } from './principal.ts'
import type { Principal, AccountPrincipal } from './principal.ts'
import type { SigningKeys } from './tokens/signing-keys.ts'
import type { TokenVerifier } from './tokens/token-verifier.ts'

export interface AuthenticatorDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly passwords: PasswordHasher
  readonly throttle: LoginThrottle
  readonly events: LoginEvents
  readonly keys: SigningKeys
  readonly tokens: TokenVerifier
}

interface Proof {
  readonly principal: Principal
  readonly credentialVersion: number
  /** Of a bearer token. */
  readonly token: { readonly kid: string; readonly expiresAt: number } | undefined
}

type MaybePromise<T> = T | Promise<T>

interface Recalled {
  readonly key: string
  readonly known: MaybePromise<Principal | undefined>
  readonly origin: Origin
}

type Password = Omit<Extract<Credentials, { kind: 'password' }>, 'kind'>

/** Some 20,000 passwords or 8,000 tokens. */
const cacheBytes = 8 * 1024 * 1024
const proofBytes = 350
const scopeBytes = 200

export interface RememberingAuthenticator extends Authenticator {
  /** Of the proofs that are remembered. */
  cacheStats(): LruStats
}

export function createAuthenticator(deps: AuthenticatorDeps): RememberingAuthenticator {
  return new CachingAuthenticator(deps)
}

class CachingAuthenticator implements RememberingAuthenticator {
  readonly #deps: AuthenticatorDeps
  readonly #secret = randomBytes(32).toString('base64')
  readonly #proofs = new Lru<string, Proof>({ maxBytes: cacheBytes })
  /**
   * A client starts with several requests at once: they share one hash. Those from another address do not wait for it:
   * that address may have to wait for its failures.
   */
  readonly #proving = new Map<string, Promise<Proof>>()

  /** In this turn of the event loop, whose reads share a snapshot where the database answers at once. */
  readonly #confirmed = new Set<Proof>()
  readonly #onTurnEnd = (): void => this.#confirmed.clear()

  constructor(deps: AuthenticatorDeps) {
    this.#deps = deps
  }

  /** What is remembered is answered at once where the database does: that saves a promise per request. */
  authenticate(authorization: string | undefined, origin: Origin): Promise<Principal> | Principal {
    if (authorization === undefined) return anonymous
    const key = this.#keyOf(authorization)
    const known = this.#recall(key)
    if (known !== undefined && !(known instanceof Promise)) return known
    return this.#recallOrProve({ key, known, origin }, () => this.#proveHeader(authorization, origin))
  }

  cacheStats(): LruStats {
    return this.#proofs.stats()
  }

  login(credentials: Password, origin: Origin): Promise<Principal> {
    const { name, password } = credentials
    const key = this.#keyOf(JSON.stringify([name, password]))
    const known = this.#recall(key)
    return this.#recallOrProve({ key, known, origin }, () => this.#provePassword(credentials, origin))
  }

  #recall(key: string): MaybePromise<Principal | undefined> {
    const proof = this.#proofs.get(key)
    if (proof === undefined) return undefined
    const current = proof.token === undefined || this.#isCurrent(proof.token)
    if (current instanceof Promise) return current.then((holds) => (holds ? this.#confirm(proof) : undefined))
    return current ? this.#confirm(proof) : undefined
  }

  async #recallOrProve({ key, known, origin }: Recalled, prove: () => Promise<Proof>): Promise<Principal> {
    const principal = await known
    if (principal !== undefined) return principal
    this.#proofs.delete(key)
    const shared = `${key} ${origin.address}`
    let proving = this.#proving.get(shared)
    if (proving === undefined) {
      proving = prove().finally(() => this.#proving.delete(shared))
      this.#proving.set(shared, proving)
    }
    const proven = await proving
    const weight = proofBytes + key.length + scopeBytes * (proven.principal.scopes?.length ?? 0)
    this.#proofs.set(key, proven, weight)
    return proven.principal
  }

  #isCurrent({ kid, expiresAt }: NonNullable<Proof['token']>): MaybePromise<boolean> {
    return expiresAt > this.#deps.clock.now() && this.#deps.keys.isValid(kid)
  }

  /** The principal, while its account is as it was when this was proven; anonymous has none. */
  #confirm(proof: Proof): MaybePromise<Principal | undefined> {
    const { principal, credentialVersion } = proof
    if (principal.kind === 'anonymous' || this.#confirmed.has(proof)) return principal
    const { accountId: id, isAdmin } = principal
    const found = isAccountUnchanged(this.#deps.metadata.reader, { id, isAdmin, credentialVersion })
    if (found instanceof Promise) return found.then((holds) => (holds ? principal : undefined))
    if (!found) return undefined
    if (this.#confirmed.size === 0) setImmediate(this.#onTurnEnd)
    this.#confirmed.add(proof)
    return principal
  }

  #proveHeader(authorization: string, origin: Origin): Promise<Proof> {
    const credentials = parseCredentials(authorization)
    if (credentials.kind === 'token') return this.#proveToken(credentials.token)
    if (credentials.kind === 'password') return this.#provePassword(credentials, origin)
    return Promise.resolve({ principal: anonymous, credentialVersion: 0, token: undefined })
  }

  async #proveToken(text: string): Promise<Proof> {
    const { accountId, credentialVersion, scopes, kid, expiresAt } = await this.#deps.tokens.verify(text)
    const token = { kid, expiresAt }
    if (accountId === undefined) return { principal: { kind: 'anonymous', scopes }, credentialVersion, token }
    const state = await findAccountState(this.#deps.metadata.reader, accountId)
    if (state === undefined || state.disabled || state.credentialVersion !== credentialVersion) {
      throw invalidToken()
    }
    const { name, isAdmin } = state
    return {
      principal: { kind: 'user', accountId, name, isAdmin, scopes, credentialVersion },
      credentialVersion,
      token,
    }
  }

  async #provePassword({ name, password }: Password, origin: Origin): Promise<Proof> {
    const { throttle, events } = this.#deps
    try {
      const principal = await throttle.guard({ account: name, address: origin.address }, () =>
        this.#checkPassword({ name, password }, origin),
      )
      if (principal === undefined) throw wrongPassword()
      return { principal, credentialVersion: principal.credentialVersion ?? 0, token: undefined }
    } catch (error) {
      if (error instanceof TooManyAttemptsError) {
        events.record({ accountId: undefined, method: 'password', outcome: 'throttled' }, origin)
      }
      throw error
    }
  }

  /** One query and one hash, whether the account exists, is disabled, or is the right one. */
  async #checkPassword({ name, password }: Password, origin: Origin): Promise<AccountPrincipal | undefined> {
    const { metadata, passwords, events } = this.#deps
    const account = await findAccount(metadata.reader, name)
    const matches = await passwords.verify(password, account?.passwordHash)
    const outcome = judge(account, matches)
    events.record({ accountId: account?.id, method: 'password', outcome }, origin)
    if (account === undefined || outcome !== 'granted') return undefined
    const { id: accountId, isAdmin, credentialVersion } = account
    return { kind: 'user', accountId, name: account.name, isAdmin, scopes: undefined, credentialVersion }
  }

  /**
   * Memory holds no passwords, nor what they could be guessed from offline. It does hold the key that signs tokens, so a
   * token, which is long to hash and soon void, stands for itself.
   */
  #keyOf(text: string): string {
    return text.startsWith('Bearer ') ? text : hash('sha256', this.#secret + text, 'base64')
  }
}

function judge(account: { readonly disabled: boolean } | undefined, matches: boolean): LoginOutcome {
  if (account === undefined) return 'unknown'
  if (!matches) return 'wrong-password'
  return account.disabled ? 'disabled' : 'granted'
}
