/**
 * Hashes passwords with argon2id into PHC strings (RFC 9106; 19 MiB and two passes, as OWASP recommends). One hash runs at a time:
 * several would block the threads that read files. New passwords and logins take turns, so that neither delays the other;
 * `login-throttle.ts` orders the logins.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { FairTurns, TurnRefused } from '../../lib/turns/fair-turns.ts'
import { TooManyAttemptsError } from '../errors.ts'

export interface HashCost {
  readonly memoryKib: number
  readonly passes: number
}

export interface PasswordHasher {
  /** Returns a PHC string with a new salt. Throws `TooManyAttemptsError`. */
  hash(password: string): Promise<string>
  /**
   * Whether the password matches. Without a stored hash the same work is done, so that the time does not reveal which names exist.
   * Throws `TooManyAttemptsError` if the queue is full.
   */
  verify(password: string, stored: string | undefined): Promise<boolean>
}

interface ParsedHash extends HashCost {
  readonly salt: Buffer
  readonly hash: Buffer
}

export const defaultHashCost: HashCost = { memoryKib: 19_456, passes: 2 }
/** Six seconds of hashing: clients do not wait longer. */
const defaultMaxWaiting = 100
const saltBytes = 16
const hashBytes = 32
const phcPattern = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** `onHash` is called for every computed hash. */
export function createPasswordHasher(
  options: {
    readonly cost?: HashCost
    readonly maxWaiting?: number
    readonly onHash?: (cost: HashCost) => void
  } = {},
): PasswordHasher {
  const { cost = defaultHashCost, maxWaiting = defaultMaxWaiting, onHash } = options
  const turns = new FairTurns({ slots: 1, maxWaiting })
  const nothing: ParsedHash = { ...cost, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) }

  async function derive(
    party: 'hash' | 'verify',
    password: string,
    parameters: HashCost & { salt: Buffer },
  ): Promise<Buffer> {
    try {
      return await turns.run({ party }, () => {
        onHash?.({ memoryKib: parameters.memoryKib, passes: parameters.passes })
        return deriveKey(password, parameters)
      })
    } catch (error) {
      if (error instanceof TurnRefused) throw new TooManyAttemptsError(5, { cause: error })
      throw error
    }
  }

  return {
    async hash(password) {
      const salt = randomBytes(saltBytes)
      return formatHash({ ...cost, salt, hash: await derive('hash', password, { ...cost, salt }) })
    },
    async verify(password, stored) {
      const expected = stored === undefined ? nothing : parseHash(stored)
      const actual = await derive('verify', password, expected)
      return timingSafeEqual(actual, expected.hash) && stored !== undefined
    },
  }
}

const argon2Async = promisify(argon2)

/** The same text typed on another system may come in another normal form (RFC 8265, 4.2). */
function deriveKey(
  password: string,
  { memoryKib, passes, salt }: HashCost & { salt: Buffer },
): Promise<Buffer> {
  return argon2Async('argon2id', {
    message: password.normalize('NFC'),
    nonce: salt,
    memory: memoryKib,
    passes,
    parallelism: 1,
    tagLength: hashBytes,
  })
}

function formatHash({ memoryKib, passes, salt, hash }: ParsedHash): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${encode(salt)}$${encode(hash)}`
}

function parseHash(text: string): ParsedHash {
  const [, memoryKib, passes, salt = '', hash = ''] = phcPattern.exec(text) ?? []
  const parsed = {
    memoryKib: Number(memoryKib),
    passes: Number(passes),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
  if (parsed.hash.length !== hashBytes)
    throw new Error('a stored password is not an argon2id hash of this version')
  return parsed
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
