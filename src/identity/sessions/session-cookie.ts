/** The cookie of a browser session (RFC 6265): scripts cannot read it, and requests from other sites do not carry it. */

export const cookieName = 'lading_session'
const cookiePattern = /^[A-Za-z0-9_-]{43}$/

export interface CookieOptions {
  /** Whether the browser sends it only over TLS. */
  readonly secure: boolean
  readonly maxAgeSeconds: number
}

/** Formats a value for `Set-Cookie`. */
export function formatSessionCookie(secret: string, { secure, maxAgeSeconds }: CookieOptions): string {
  const attributes = ['Path=/', `Max-Age=${maxAgeSeconds}`, 'HttpOnly', 'SameSite=Lax']
  return [`${cookieName}=${secret}`, ...attributes, ...(secure ? ['Secure'] : [])].join('; ')
}

/** Formats a value for `Set-Cookie` that makes the browser drop the cookie. */
export function formatEndedCookie(options: Pick<CookieOptions, 'secure'>): string {
  return formatSessionCookie('', { ...options, maxAgeSeconds: 0 })
}

/**
 * Reads the session from a `Cookie` header. If several cookies have the name, none counts: a neighbouring site may have planted
 * one, and their order proves nothing.
 */
export function readSessionCookie(header: string | undefined): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName}=`))
    .map((pair) => pair.slice(cookieName.length + 1))
  const [value, ...others] = values
  return value !== undefined && others.length === 0 && cookiePattern.test(value) ? value : undefined
}
