/** What stands in a bearer token. Its format is ours alone: clients pass it on unread. */
import type { JWTPayload } from 'jose'
import { invalidToken } from '../errors.ts'
import type { Scope } from '../scope.ts'

export interface TokenClaims {
  /** Absent: of an anonymous client. */
  readonly accountId: number | undefined
  readonly credentialVersion: number
  readonly scopes: readonly Scope[]
  /** Milliseconds. */
  readonly expiresAt: number
}

export const audience = 'lading'
export const algorithm = 'EdDSA'
/** Between the machines of one registry. */
export const clockSkewSeconds = 30

const anonymousSubject = 'anonymous'
const subjectPattern = /^user:([1-9]\d{0,15})$/

export function formatSubject(accountId: number | undefined): string {
  return accountId === undefined ? anonymousSubject : `user:${accountId}`
}

/** Throws `CredentialsError` for claims that this registry does not write. */
export function parseClaims(payload: JWTPayload): TokenClaims {
  const { sub = '', exp, cv, access } = payload
  if (exp === undefined || typeof cv !== 'number' || !Array.isArray(access)) throw invalidToken()
  return {
    accountId: parseSubject(sub),
    credentialVersion: cv,
    scopes: access.map(parseAccess),
    expiresAt: exp * 1000,
  }
}

function parseSubject(subject: string): number | undefined {
  if (subject === anonymousSubject) return undefined
  const [, id] = subjectPattern.exec(subject) ?? []
  if (id === undefined) throw invalidToken()
  return Number(id)
}

function parseAccess(entry: unknown): Scope {
  const { type, name, actions } = (entry ?? {}) as Partial<Record<keyof Scope, unknown>>
  if ((type !== 'repository' && type !== 'registry') || typeof name !== 'string') throw invalidToken()
  if (!Array.isArray(actions) || !actions.every((action) => typeof action === 'string')) throw invalidToken()
  return { type, name, actions }
}
