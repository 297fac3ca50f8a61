/** Hashes the secrets of tokens and sessions, which are stored only as hashes. */
import { hash } from 'node:crypto'

/** Hashes a secret of at least 170 random bits: it needs no salt and no slow hash, and the time of a look-up reveals nothing. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}
