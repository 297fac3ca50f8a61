/**
 * The format of access tokens: `ladu_` for users or `ladr_` for robots, 30 random characters, and a checksum, so that scanners
 * recognise a leaked token without asking the registry.
 */
import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

export const tokenPrefixes = { user: 'ladu_', robot: 'ladr_' } as const

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretCharacters = 30
/** The number of base-62 digits for 32 bits. */
const checksumCharacters = 6
const hintCharacters = 4
const tokenPattern = /^lad[ur]_[0-9A-Za-z]{36}$/

export function generateToken(kind: keyof typeof tokenPrefixes): string {
  const random = Array.from({ length: secretCharacters }, () => alphabet.charAt(randomInt(alphabet.length)))
  const text = tokenPrefixes[kind] + random.join('')
  return text + checksumOf(text)
}

/** Whether the text has the form of an access token, of any registry. A password that a person chose never does. */
export function isWellFormed(text: string): boolean {
  return tokenPattern.test(text) && text.endsWith(checksumOf(text.slice(0, -checksumCharacters)))
}

/** The end of the token, so that people can tell tokens apart: part of the checksum, so it reveals almost nothing of the secret. */
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
