/**
 * The Ed25519 keys of this installation: generated at its first start, stored in the database, never shipped. Every process signs
 * with the key that is active and notices new and removed keys within a second.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { AuditTrail } from '../../metadata/audit/audit-trail.ts'
import type { Metadata } from '../../metadata/metadata.ts'
import {
  findActiveKey,
  insertSigningKey,
  listSigningKeys,
  lockSigningKeys,
} from '../../metadata/identity/signing-keys.ts'
import type { SigningKey } from '../../metadata/identity/signing-keys.ts'
import type { Actor } from '../actor.ts'

export interface SigningKeys {
  /** Returns the active signing key; generates one if none is active. First called at the start of the server. */
  getActive(): Promise<{ kid: string; key: CryptoKey }>
  /** The public key, while it is valid for verification. */
  find(kid: string): Promise<CryptoKey | undefined>
  /** Whether `find` would find it; reads the database at most once a second. */
  isValid(kid: string): MaybePromise<boolean>
  list(): Promise<SigningKey[]>
  /**
   * Starts signing with a new key. Tokens of the old keys stay valid for `overlapMs`: the lifetime of a token, or 0 if a key has
   * leaked. Returns the id of the new key.
   */
  rotate(options: { readonly overlapMs: number }, actor: Actor): Promise<string>
}

interface PublicKey {
  readonly key: CryptoKey
  readonly verifyUntil: number | undefined
}

const algorithm = 'EdDSA'
const readAgainMs = 1_000

interface SigningKeysDeps {
  readonly metadata: Metadata
  readonly clock: Clock
  readonly audit: AuditTrail
}

export function createSigningKeys(deps: SigningKeysDeps): SigningKeys {
  return new DatabaseSigningKeys(deps)
}

class DatabaseSigningKeys implements SigningKeys {
  readonly #deps: SigningKeysDeps
  #known = new Map<string, PublicKey>()
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined
  #active: { readonly kid: string; readonly key: CryptoKey } | undefined

  constructor(deps: SigningKeysDeps) {
    this.#deps = deps
  }

  async getActive(): Promise<{ kid: string; key: CryptoKey }> {
    const { metadata, clock } = this.#deps
    const row = (await findActiveKey(metadata.reader)) ?? (await makeFirstKey(metadata, clock))
    if (this.#active?.kid !== row.kid) {
      this.#active = { kid: row.kid, key: await importKey(row.privateKey) }
    }
    return this.#active
  }

  /** An unknown id may belong to a key that another process has just generated; reading again costs less than a signature. */
  async find(kid: string): Promise<CryptoKey | undefined> {
    if (this.#reading !== undefined) await this.#reading
    if (!this.#isFresh() || !this.#known.has(kid)) await this.#read()
    return this.#lookUp(kid)
  }

  isValid(kid: string): MaybePromise<boolean> {
    if (this.#isFresh()) return this.#lookUp(kid) !== undefined
    return this.#read().then(() => this.#lookUp(kid) !== undefined)
  }

  list(): Promise<SigningKey[]> {
    return listSigningKeys(this.#deps.metadata.reader, this.#deps.clock.now())
  }

  async rotate({ overlapMs }: { readonly overlapMs: number }, actor: Actor): Promise<string> {
    const { metadata, clock, audit } = this.#deps
    const made = await makeKey()
    const now = clock.now()
    await metadata.transact(async (tx) => {
      await lockSigningKeys(tx)
      await insertSigningKey(tx, { ...made, now, verifyUntil: now + overlapMs })
      await audit.change(tx, actor, {
        action: 'signing-key.rotate',
        outcome: 'done',
        detail: { key: made.kid, overlapMs },
      })
    })
    this.#readAt = Number.NEGATIVE_INFINITY
    return made.kid
  }

  #isFresh(): boolean {
    const age = this.#deps.clock.now() - this.#readAt
    return age >= 0 && age < readAgainMs
  }

  #lookUp(kid: string): CryptoKey | undefined {
    const found = this.#known.get(kid)
    if (found?.verifyUntil !== undefined && found.verifyUntil <= this.#deps.clock.now()) return undefined
    return found?.key
  }

  /** One read serves all concurrent callers. */
  #read(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #readAll(): Promise<void> {
    const now = this.#deps.clock.now()
    const rows = await listSigningKeys(this.#deps.metadata.reader, now)
    const imported = rows.map(async (row): Promise<[string, PublicKey]> => {
      const key = this.#known.get(row.kid)?.key ?? (await importKey(row.publicKey))
      return [row.kid, { key, verifyUntil: row.verifyUntil }]
    })
    this.#known = new Map(await Promise.all(imported))
    this.#readAt = now
  }
}

async function makeFirstKey(metadata: Metadata, clock: Clock): Promise<{ kid: string; privateKey: string }> {
  const made = await makeKey()
  return metadata.transact(async (tx) => {
    await lockSigningKeys(tx)
    const existing = await findActiveKey(tx)
    if (existing !== undefined) return existing
    const now = clock.now()
    await insertSigningKey(tx, { ...made, now, verifyUntil: now })
    return made
  })
}

async function makeKey(): Promise<{ kid: string; publicKey: string; privateKey: string }> {
  const pair = await generateKeyPair(algorithm, { extractable: true })
  const publicJwk = await exportJWK(pair.publicKey)
  return {
    kid: await calculateJwkThumbprint(publicJwk),
    publicKey: JSON.stringify(publicJwk),
    privateKey: JSON.stringify(await exportJWK(pair.privateKey)),
  }
}

async function importKey(jwk: string): Promise<CryptoKey> {
  const key = await importJWK(JSON.parse(jwk) as JWK, algorithm)
  if (key instanceof Uint8Array) throw new Error('a signing key in the database is a symmetric key')
  return key
}
