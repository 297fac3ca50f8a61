/** The claims of a bearer token. The format is private: clients pass tokens on without reading them. */
import type { JWTPayload } from 'jose'
import { invalidToken } from '../errors.ts'
import { principalId } from '../principal.ts'
import type { Principal } from '../principal.ts'
import type { Scope } from '../../access/scope.ts'

export interface TokenClaims {
  /** Absent for an anonymous client. */
  readonly accountId: number | undefined
  readonly credentialVersion: number
  readonly scopes: readonly Scope[]
  /** The credential that the token was issued from; `undefined`: a password, or none. */
  readonly source: TokenSource | undefined
  /** Milliseconds. */
  readonly expiresAt: number
}

export interface TokenSource {
  readonly kind: 'access-token' | 'refresh-token'
  readonly id: number
}

export const audience = 'lading'
export const algorithm = 'EdDSA'
/** The tolerated difference between the clocks of one registry's machines. */
export const clockSkewSeconds = 30

const repositoryActions = ['delete', 'pull', 'push']
const anonymousSubject = 'anonymous'
const subjectPattern = /^(?:user|robot):([1-9]\d{0,15})$/
const sourcePattern = /^(access|refresh)-token:([1-9]\d{0,15})$/

export function formatSubject(principal: Principal): string {
  return principal.kind === 'anonymous' ? anonymousSubject : principalId(principal)
}

/** Formats the source the way principals name their credential. */
export function formatSource(source: TokenSource | undefined): string {
  return source === undefined ? 'password' : `${source.kind}:${source.id}`
}

/** Returns the claims about the credential that a token is issued from. */
export function sourceClaims({ credential = '' }: { readonly credential?: string | undefined }): JWTPayload {
  const [, kind, id] = sourcePattern.exec(credential) ?? []
  if (id === undefined) return {}
  return kind === 'access' ? { tid: Number(id) } : { rid: Number(id) }
}

/** Returns the granted scopes together with the refused actions, so that a later refusal knows the request. */
export function accessClaims(granted: readonly Scope[], asked: readonly Scope[]): Scope[] {
  return granted.map(({ type, name, actions }) => {
    const found = asked.find((scope) => scope.type === type && scope.name === name)?.actions ?? []
    const wanted = found.includes('*') && type === 'repository' ? repositoryActions : found
    const refused = wanted.filter((action) => !actions.includes(action))
    return refused.length === 0 ? { type, name, actions } : { type, name, actions, refused }
  })
}

/** Throws `CredentialsError` for claims that this registry never writes. */
export function parseClaims(payload: JWTPayload): TokenClaims {
  const { sub = '', exp, cv, access } = payload
  if (exp === undefined || typeof cv !== 'number' || !Array.isArray(access)) throw invalidToken()
  return {
    accountId: parseSubject(sub),
    credentialVersion: cv,
    scopes: access.map(parseAccess),
    source: parseSource(payload),
    expiresAt: exp * 1000,
  }
}

function parseSubject(subject: string): number | undefined {
  if (subject === anonymousSubject) return undefined
  const [, id] = subjectPattern.exec(subject) ?? []
  if (id === undefined) throw invalidToken()
  return Number(id)
}

function parseSource({ tid, rid }: JWTPayload): TokenSource | undefined {
  const id = tid ?? rid
  if (id === undefined) return undefined
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw invalidToken()
  return { kind: tid === undefined ? 'refresh-token' : 'access-token', id }
}

function parseAccess(entry: unknown): Scope {
  const { type, name, actions, refused } = (entry ?? {}) as Partial<Record<keyof Scope, unknown>>
  if ((type !== 'repository' && type !== 'registry') || typeof name !== 'string') throw invalidToken()
  if (!isTexts(actions) || !(refused === undefined || isTexts(refused))) throw invalidToken()
  return refused === undefined ? { type, name, actions } : { type, name, actions, refused }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
