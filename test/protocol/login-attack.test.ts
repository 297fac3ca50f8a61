/** Logins under attack: hundreds of simultaneous guesses from many addresses, as reported by a trusted proxy. */
import { describe, expect, test } from 'vitest'
import { createPasswordHasher } from '../../src/identity/passwords/password-hash.ts'
import type { PasswordHasher } from '../../src/identity/passwords/password-hash.ts'
import { expectError } from '../support/http/answers.ts'
import { ask } from '../support/http/client.ts'
import type { Answer } from '../support/http/client.ts'
import { eventually } from '../support/eventually.ts'
import { basic, openIdentityServer, passwordOf } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'

const maxWaiting = 100
const attackers = Array.from({ length: 60 }, (_none, index) => `192.0.2.${index}`)
const guessesEach = 10
const user = '198.51.100.7'

interface Attacked extends AsyncDisposable {
  readonly server: IdentityServer
  /** The passwords that were hashed, in order. */
  readonly hashed: string[]
  /** Holds all hashes until the returned function is called. */
  hold(): () => void
  readonly login: (name: string, options: { password?: string; from: string }) => Promise<Answer>
}

/** Opens a server whose hasher a test can hold: at thousands of hashes a second no queue would form. */
async function openAttacked(): Promise<Attacked> {
  const real = createPasswordHasher({ cost: { memoryKib: 64, passes: 1 } })
  const hashed: string[] = []
  let held = Promise.resolve()
  const passwords: PasswordHasher = {
    hash: (password) => real.hash(password),
    async verify(password, stored) {
      hashed.push(password)
      await held
      return await real.verify(password, stored)
    },
  }
  const server = await openIdentityServer({
    passwords,
    throttle: { sleep: () => Promise.resolve(), maxWaiting },
    server: { trustedProxies: ['127.0.0.1'] },
  })
  return {
    server,
    hashed,
    hold() {
      const gate = Promise.withResolvers<void>()
      held = gate.promise
      return gate.resolve
    },
    login: (name, { password, from }) =>
      ask(`${server.url}/v2/`, {
        headers: { authorization: basic(name, password), 'x-forwarded-for': from },
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

describe('a first login during an attack', () => {
  test('passes before all waiting guesses, and does not get 429', async () => {
    await using attacked = await openAttacked()
    const { server, hashed, login } = attacked
    await server.addUser('alice')
    const firsts = attackers.map((from) => login('alice', { password: `first of ${from}`, from }))
    for (const answer of await Promise.all(firsts)) expectError(answer, { status: 401, code: 'UNAUTHORIZED' })

    const release = attacked.hold()
    const refused: Answer[] = []
    const guesses = attackers.flatMap((from) =>
      Array.from({ length: guessesEach }, async (_none, count) => {
        const answer = await login(`name-${count}`, { password: `guess ${count} of ${from}`, from })
        if (answer.status === 429) refused.push(answer)
        return answer.status
      }),
    )
    const inTurn = 4
    const tooMany = guesses.length - maxWaiting - inTurn
    await eventually(
      () => refused.length,
      (count) => count === tooMany,
    )
    const begun = hashed.length
    const answer = login('alice', { from: user })
    await eventually(
      () => refused.length,
      (count) => count === tooMany + 1,
    )
    release()

    expect((await answer).status).toBe(200)
    expect(hashed.indexOf(passwordOf('alice'))).toBe(begun)
    expect(new Set(await Promise.all(guesses))).toEqual(new Set([401, 429]))
    expect(refused).toHaveLength(tooMany + 1)
    for (const one of refused) {
      expectError(one, { status: 429, code: 'TOOMANYREQUESTS' })
      expect(Number(one.headers['retry-after'])).toBeGreaterThan(0)
    }
  })
})

describe('failures', () => {
  test.each([
    { who: 'a trusted proxy', trusted: '127.0.0.1', pauses: [] },
    { who: 'anyone else', trusted: '10.0.0.1', pauses: [250, 500] },
  ])('with an address forwarded by $who count for the right address', async ({ trusted, pauses }) => {
    const slept: number[] = []
    await using server = await openIdentityServer({
      throttle: { sleep: (ms) => Promise.resolve(void slept.push(ms)) },
      server: { trustedProxies: [trusted] },
    })
    for (const from of attackers.slice(0, 4)) {
      const headers = { authorization: basic(`name of ${from}`), 'x-forwarded-for': from }
      expectError(await ask(`${server.url}/v2/`, { headers }), { status: 401, code: 'UNAUTHORIZED' })
    }
    expect(slept).toEqual(pauses)
  })
})
