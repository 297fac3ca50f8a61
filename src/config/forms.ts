/** Predicates for text values that have their own syntax. The schema reports the key. */
import { isIP, isIPv4 } from 'node:net'
import { parseRepositoryName } from '../oci/repository-name.ts'

/** `10.0.0.0/8`, `192.168.1.5`, `fd00::/8`. */
export function isAddressOrNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  if (isIP(address) === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128)
}

/** `https://registry.example.com:5443`, without a path, because clients always request `/v2/` at the root. */
export function isHttpOrigin(text: string): boolean {
  return isHttpUrl(text) && (text === new URL(text).origin || text === `${new URL(text).origin}/`)
}

export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
}

/** Whether a text is valid as the first component of a repository name. */
export function isOwnerName(text: string): boolean {
  try {
    parseRepositoryName(`${text}/x`)
    return !text.includes('/')
  } catch {
    return false
  }
}
