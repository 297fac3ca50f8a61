/** Parses the two kinds of `Authorization` strictly (RFC 7617, RFC 6750). */
import { malformedCredentials } from './errors.ts'

export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly name: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }

const headerPattern = /^(basic|bearer) +([A-Za-z0-9\-._~+/]+=*)$/i
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Throws `CredentialsError`. Some clients without credentials send an empty name and password. */
export function parseCredentials(authorization: string): Credentials {
  const [, scheme, value] = headerPattern.exec(authorization) ?? []
  if (scheme === undefined || value === undefined) throw malformedCredentials()
  if (scheme.toLowerCase() === 'bearer') return { kind: 'token', token: value }
  const text = decodeBase64(value)
  const colon = text.indexOf(':')
  if (colon === -1) throw malformedCredentials()
  const name = text.slice(0, colon)
  const password = text.slice(colon + 1)
  if (name === '' && password === '') return { kind: 'anonymous' }
  return { kind: 'password', name, password }
}

function decodeBase64(value: string): string {
  try {
    return utf8.decode(Buffer.from(value, 'base64'))
  } catch {
    throw malformedCredentials()
  }
}
