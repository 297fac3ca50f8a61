/**
 * @module Turns an `Authorization` header into a principal. A proof by password hash or signature is cached in bounded memory; a
 * password is cached under a hash that only this process can compute. Each request checks in one query that the account, and the
 * access or refresh token behind the proof, have not changed, so a disabled account, a new password or a revoked token takes
 * effect at once. `access-policy.ts` decides on rights.
 */
import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import { Lru } from '../lib/memory/lru.ts'
import type { LruStats } from '../lib/memory/lru.ts'
import { andThen, isReady } from '../lib/maybe-promise.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import { isAccessTokenUnchanged } from '../metadata/identity/access-tokens.ts'
import { isAccountUnchanged } from '../metadata/identity/accounts.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { isRefreshTokenUnchanged } from '../metadata/identity/refresh-tokens.ts'
import { isWellFormed } from './access-tokens/token-format.ts'
import { checkAccessToken } from './access-tokens/token-login.ts'
import type { GivenToken } from './access-tokens/token-login.ts'
import { parseCredentials } from './credentials.ts'
import type { Credentials } from './credentials.ts'
import { invalidToken, TooManyAttemptsError, wrongAccessToken, wrongPassword } from './errors.ts'
import type { Authenticator, Origin } from './identity.ts'
import type { LoginThrottle } from './passwords/login-throttle.ts'
import type { Logins } from './passwords/logins.ts'
import type { PasswordHasher } from './passwords/password-hash.ts'
import { checkPasswordLogin } from './passwords/password-login.ts'
import { anonymous } from './principal.ts'
import type { Principal, AccountPrincipal } from './principal.ts'
import type { SigningKeys } from './tokens/signing-keys.ts'
import { checkBearer } from './tokens/token-login.ts'
import type { TokenVerifier } from './tokens/token-verifier.ts'
import type { UseNotes } from './use-notes.ts'

export interface AuthenticatorDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly passwords: PasswordHasher
  readonly throttle: LoginThrottle
  readonly logins: Logins
  readonly keys: SigningKeys
  readonly tokens: TokenVerifier
  /** Records the uses of access tokens. */
  readonly uses: Pick<UseNotes, 'note'>
}

interface Proof {
  readonly principal: Principal
  readonly credentialVersion: number
  /** Present for a bearer token. */
  readonly token: { readonly kid: string; readonly expiresAt: number } | undefined
}

interface Recalled {
  readonly key: string
  readonly known: MaybePromise<Principal | undefined>
  readonly origin: Origin
}

type Password = Omit<Extract<Credentials, { kind: 'password' }>, 'kind'>

/** Enough for about 20,000 passwords or 8,000 tokens. */
const cacheBytes = 8 * 1024 * 1024
const proofBytes = 350
/** The estimated size of a scope, or of a pattern in the limits of an access token. */
const scopeBytes = 200
/** The beginning of a bearer token, whose header is a JSON object. */
const bearerStart = 'Bearer ey'
/** The party of access tokens in the throttle: no account can have this name. */
const noName = 'access token'

export interface RememberingAuthenticator extends Authenticator {
  /** Statistics of the cached proofs. */
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
   * Clients start with several requests at once, which share one hash. Requests from another address do not wait for it, because
   * the throttle may delay that address.
   */
  readonly #proving = new Map<string, Promise<Proof>>()

  /** Proofs confirmed in this turn of the event loop, whose reads share a snapshot if the database answers at once. */
  readonly #confirmed = new Set<Proof>()
  readonly #onTurnEnd = (): void => this.#confirmed.clear()

  constructor(deps: AuthenticatorDeps) {
    this.#deps = deps
  }

  /** Answers a cached proof synchronously if the database does, which saves a promise per request. */
  authenticate(authorization: string | undefined, origin: Origin): Promise<Principal> | Principal {
    if (authorization === undefined) return anonymous
    const key = this.#keyOf(authorization)
    const known = this.#recall(key)
    if (known !== undefined && isReady(known)) return known
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
    return andThen(current, (holds) => (holds ? this.#confirm(proof) : undefined))
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
    this.#proofs.set(key, proven, weightOf(key, proven))
    return proven.principal
  }

  #isCurrent({ kid, expiresAt }: NonNullable<Proof['token']>): MaybePromise<boolean> {
    return expiresAt > this.#deps.clock.now() && this.#deps.keys.isValid(kid)
  }

  /** Returns the principal if its account and its access token have not changed since the proof. Anonymous has neither. */
  #confirm(proof: Proof): MaybePromise<Principal | undefined> {
    const { principal } = proof
    if (principal.kind === 'anonymous' || this.#confirmed.has(proof)) return principal
    const found = this.#isUnchanged(principal, proof.credentialVersion)
    if (!isReady(found)) return found.then((holds) => (holds ? principal : undefined))
    if (!found) return undefined
    if (this.#confirmed.size === 0) setImmediate(this.#onTurnEnd)
    this.#confirmed.add(proof)
    return principal
  }

  isCurrent(principal: Principal): MaybePromise<boolean> {
    return principal.kind === 'anonymous' || this.#isUnchanged(principal, principal.credentialVersion ?? 0)
  }

  #isUnchanged(
    { accountId: id, name, isAdmin, limits, refreshTokenId }: AccountPrincipal,
    credentialVersion: number,
  ): MaybePromise<boolean> {
    const { metadata, clock, uses } = this.#deps
    if (refreshTokenId !== undefined) {
      return isRefreshTokenUnchanged(metadata.reader, {
        id,
        name,
        isAdmin,
        credentialVersion,
        refreshTokenId,
      })
    }
    if (limits === undefined) {
      return isAccountUnchanged(metadata.reader, { id, name, isAdmin, credentialVersion })
    }
    const { tokenId, patterns } = limits
    uses.note(tokenId)
    const proven = { id, name, isAdmin, credentialVersion, tokenId, patterns, now: clock.now() }
    return isAccessTokenUnchanged(metadata.reader, proven)
  }

  #proveHeader(authorization: string, origin: Origin): Promise<Proof> {
    const credentials = parseCredentials(authorization)
    if (credentials.kind === 'token') {
      const { token } = credentials
      if (!isWellFormed(token)) return this.#proveBearer(token)
      return this.#proveAccessToken({ name: undefined, token }, origin)
    }
    if (credentials.kind === 'password') return this.#provePassword(credentials, origin)
    return Promise.resolve({ principal: anonymous, credentialVersion: 0, token: undefined })
  }

  async #proveBearer(text: string): Promise<Proof> {
    const claims = await this.#deps.tokens.verify(text)
    const { accountId, credentialVersion, scopes, kid, expiresAt } = claims
    const token = { kid, expiresAt }
    if (accountId === undefined) return { principal: { kind: 'anonymous', scopes }, credentialVersion, token }
    const principal = await checkBearer(this.#deps, { ...claims, accountId })
    return { principal, credentialVersion, token }
  }

  /** Accepts an access token instead of a password; it needs no slow hash, whether it exists or not. */
  async #provePassword({ name, password }: Password, origin: Origin): Promise<Proof> {
    if (isWellFormed(password)) return this.#proveAccessToken({ name, token: password }, origin)
    const principal = await this.#attempt({ name, credential: 'password' }, origin, () =>
      checkPasswordLogin(this.#deps, { name, password }, origin),
    )
    if (principal === undefined) throw wrongPassword()
    return proofOf(principal)
  }

  async #proveAccessToken(given: GivenToken, origin: Origin): Promise<Proof> {
    const attempted = { name: given.name ?? noName, credential: 'access-token' }
    const principal = await this.#attempt(attempted, origin, () =>
      checkAccessToken(this.#deps, given, origin),
    )
    if (principal === undefined) throw given.name === undefined ? invalidToken() : wrongAccessToken()
    if (principal.limits !== undefined) this.#deps.uses.note(principal.limits.tokenId)
    return proofOf(principal)
  }

  async #attempt(
    { name, credential }: { readonly name: string; readonly credential: string },
    origin: Origin,
    check: () => Promise<AccountPrincipal | undefined>,
  ): Promise<AccountPrincipal | undefined> {
    const { throttle, logins } = this.#deps
    try {
      return await throttle.guard({ account: name, address: origin.address }, check)
    } catch (error) {
      if (error instanceof TooManyAttemptsError) {
        logins.record({ account: undefined, credential, outcome: 'throttled' }, origin)
      }
      throw error
    }
  }

  /**
   * Memory holds no passwords or access tokens, and nothing from which they could be guessed offline. It does hold the key that
   * signs bearer tokens, so a bearer token, which is long to hash and expires soon, is its own key.
   */
  #keyOf(text: string): string {
    return text.startsWith(bearerStart) ? text : hash('sha256', this.#secret + text, 'base64')
  }
}

function proofOf(principal: AccountPrincipal): Proof {
  return { principal, credentialVersion: principal.credentialVersion ?? 0, token: undefined }
}

function weightOf(key: string, { principal }: Proof): number {
  const patterns = principal.kind === 'anonymous' ? 0 : (principal.limits?.patterns?.length ?? 0)
  return proofBytes + key.length + scopeBytes * ((principal.scopes?.length ?? 0) + patterns)
}
