/** How tokens and sessions are stored. */
import { hash } from 'node:crypto'

/** For secrets of 170 random bits and more: they need no salt and no slow hash, and a look-up by it tells nothing by its time. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}
