import { randomBytes } from 'node:crypto'
import { argon2id } from 'hash-wasm'
import { describe, expect, test } from 'vitest'
import { createPasswordHasher, type HashCost } from './password-hash.ts'

const cost = { memoryKib: 8, passes: 1 }

describe('a password hash', () => {
  test('is argon2id in a PHC string with its own salt', async () => {
    const passwords = createPasswordHasher({ cost })
    const [first, second] = [await passwords.hash('secret one'), await passwords.hash('secret one')]
    expect(first).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(second).not.toBe(first)
    expect(await passwords.verify('secret one', first)).toBe(true)
    expect(await passwords.verify('secret two', first)).toBe(false)
  })

  test('costs 19 MiB and two passes by default', async () => {
    const hash = await createPasswordHasher().hash('secret one')
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await createPasswordHasher({ cost }).verify('secret one', hash)).toBe(true)
  })

  test('agrees with another implementation', async () => {
    const password = 'correct horse battery'
    const parameters = { iterations: 2, parallelism: 1, memorySize: 64, hashLength: 32 }
    const stored = await argon2id({ password, salt: randomBytes(16), ...parameters, outputType: 'encoded' })
    expect(await createPasswordHasher().verify(password, stored)).toBe(true)
  })

  test('is the same for both normal forms of a letter', async () => {
    const passwords = createPasswordHasher({ cost })
    expect(await passwords.verify('passwo\u0308rd', await passwords.hash('passw\u00f6rd'))).toBe(true)
  })

  test('C6: costs the same work if the account has none', async () => {
    const seen: HashCost[] = []
    const passwords = createPasswordHasher({ cost, onHash: (cost) => void seen.push(cost) })
    const stored = await passwords.hash('secret one')
    expect(await passwords.verify('secret one', undefined)).toBe(false)
    expect(await passwords.verify('wrong one', stored)).toBe(false)
    expect(seen).toEqual([cost, cost, cost])
  })

  test('is computed one at a time, and refused when too many wait', async () => {
    const passwords = createPasswordHasher({ cost, maxWaiting: 2 })
    const attempts = Array.from({ length: 4 }, () => passwords.hash('secret one'))
    const outcomes = await Promise.allSettled(attempts)
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused.map(({ reason }) => reason as unknown)).toEqual([
      expect.objectContaining({ code: 'TOOMANYREQUESTS', retryAfterSeconds: 5 }),
    ])
  })

  test.each(['', '$2b$10$abcdefghijklmnopqrstuv', '$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA'])(
    'throws for a malformed stored hash: %j',
    async (stored) => {
      await expect(createPasswordHasher({ cost }).verify('secret one', stored)).rejects.toThrow(
        'not an argon2id hash',
      )
    },
  )
})
