/** The cookie of a browser session (RFC 6265): no script reads it, and no other site sends it along with what changes things. */

export const cookieName = 'lading_session'
const cookiePattern = /^[A-Za-z0-9_-]{43}$/

export interface CookieOptions {
  /** Only over TLS. */
  readonly secure: boolean
  readonly maxAgeSeconds: number
}

/** A value for `Set-Cookie`. */
export function formatSessionCookie(secret: string, { secure, maxAgeSeconds }: CookieOptions): string {
  const attributes = ['Path=/', `Max-Age=${maxAgeSeconds}`, 'HttpOnly', 'SameSite=Lax']
  return [`${cookieName}=${secret}`, ...attributes, ...(secure ? ['Secure'] : [])].join('; ')
}

/** A value for `Set-Cookie` that makes the browser forget the session. */
export function formatEndedCookie(options: Pick<CookieOptions, 'secure'>): string {
  return formatSessionCookie('', { ...options, maxAgeSeconds: 0 })
}

/**
 * From a `Cookie` header. Of several with the name none counts: a neighbouring site may have planted one, and which comes
 * first says nothing.
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
