/**
 * How access tokens are written: `ladu_` for users or `ladr_` for robots, 30 random characters, and a checksum of all
 * that, so that one that leaked is recognised wherever it turns up, without asking the registry.
 */
import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

export const tokenPrefixes = { user: 'ladu_', robot: 'ladr_' } as const

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretCharacters = 30
/** Of 32 bits in base 62. */
const checksumCharacters = 6
const hintCharacters = 4
const tokenPattern = /^lad[ur]_[0-9A-Za-z]{36}$/

export function generateToken(kind: keyof typeof tokenPrefixes): string {
  const random = Array.from({ length: secretCharacters }, () => alphabet.charAt(randomInt(alphabet.length)))
  const text = tokenPrefixes[kind] + random.join('')
  return text + checksumOf(text)
}

/** Whether the text is an access token by its form, of whichever registry; no password that someone chose is. */
export function isWellFormed(text: string): boolean {
  return tokenPattern.test(text) && text.endsWith(checksumOf(text.slice(0, -checksumCharacters)))
}

/** Its end, for people to tell their tokens apart: part of the checksum, so it says next to nothing of the secret. */
export function hintOf(token: string): string {
  return token.slice(-hintCharacters)
}

function checksumOf(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let count = 0; count < checksumCharacters; count++) {
    digits = alphabet.charAt(rest % alphabet.length) + digits
    rest = Math.floor(rest / alphabet.length)
  }
  return digits
}
