import http from 'node:http'
import { expect, test } from 'vitest'

import { median } from '../../bench/sample.ts'
import { createPasswordHasher } from '../../src/identity/passwords/password-hash.ts'
import { ask } from '../support/http/client.ts'
import { basic, openIdentityServer } from '../support/parts/identity-server.ts'
import type { IdentityServer } from '../support/parts/identity-server.ts'
import { anImageManifest, pushBlob, pushImage } from '../support/content/manifests.ts'
import { openAuth } from '../support/parts/open-auth.ts'
import { aRandomBlob } from '../support/content/random.ts'
import type { Figures } from './report.ts'
import { report } from './report.ts'
import { tester } from '../support/parts/tester.ts'

const tries = 2_000
const loginTries = 200
const warmUps = 100
/** The number of other blobs: an empty registry would not be realistic. */
const otherBlobs = 200
const tolerance = 0.05
/** The tries per block: each kind runs equally often at each place of the order. */
const blockTries = 6

/** Returns how long it took, in microseconds, without the time for restoring the state. */
type Attempt = () => Promise<number>

interface Question {
  readonly what: string
  readonly tries: number
  /** The attempts by situation: all must take as long as the first. */
  readonly attempts: Readonly<Record<string, Attempt>>
}

test('the time of a response does not distinguish forbidden from absent content', async () => {
  const name = 'timing'
  const claim = `${tries} tries of each kind, in turn and in a rotating order; ${loginTries} of each login, since each costs a whole
argon2id hash. Mounts and pulls are HTTP requests of a user over one kept connection to a server in this process, with the
session that a refused mount opens ended again out of the measured time; logins are measured at the authenticator, with the
delays of the throttle taken out. Two medians count as equal when they differ by less than ${tolerance * 100} %, or by less than two
halves of the tries of one kind do, which alternate every ${blockTries} tries.`
  await report({ name, claim }, async (note) => {
    await using server = await openIdentityServer()
    await using logins = await openLogins()
    using agent = keepAlive()
    const told: string[] = []
    for (const question of [...(await httpQuestions(server, agent)), logins.question]) {
      const { figures, differs } = await answer(question)
      note(figures)
      told.push(...differs)
    }
    expect(told).toEqual([])
  })
})

async function httpQuestions(server: IdentityServer, agent: http.Agent): Promise<Question[]> {
  await server.addUser('alice')
  await server.addUser('bob')
  const alice = { authorization: basic('alice') }
  const image = anImageManifest()
  await pushImage(`${server.url}/v2/alice/secret`, image, { reference: 'v1', headers: alice, agent })
  const held = image.blobs[0]?.digest ?? ''
  for (let count = 0; count < otherBlobs; count += 1) {
    await pushBlob(`${server.url}/v2/alice/secret`, aRandomBlob(), { headers: alice, agent })
  }
  // A neighbouring digest, since the time of a lookup depends on the place in the tables, which is not a secret.
  const absent = held.slice(0, -1) + (held.endsWith('0') ? '1' : '0')
  const headers = { authorization: basic('bob') }
  const mount = (query: string): Attempt =>
    mountAttempt(`${server.url}/v2/bob/own`, query, { headers, agent })
  const pull = (repository: string, authorization?: string): Attempt =>
    pullAttempt(`${server.url}/v2/${repository}/manifests/v1`, {
      headers: authorization === undefined ? {} : { authorization },
      agent,
    })
  return [
    {
      what: 'mount with from',
      tries,
      attempts: {
        'held there, forbidden': mount(`mount=${held}&from=alice/secret`),
        'absent digest, forbidden repository': mount(`mount=${absent}&from=alice/secret`),
        'absent repository': mount(`mount=${held}&from=alice/nothing`),
      },
    },
    {
      what: 'mount without from',
      tries,
      attempts: { 'held out of sight': mount(`mount=${held}`), 'absent digest': mount(`mount=${absent}`) },
    },
    {
      what: 'pull by a user',
      tries,
      attempts: {
        forbidden: pull('alice/secret', headers.authorization),
        'absent repository': pull('alice/nothin', headers.authorization),
        'absent owner': pull('nobod/secret', headers.authorization),
      },
    },
    {
      what: 'pull by nobody',
      tries,
      attempts: { forbidden: pull('alice/secret'), 'absent repository': pull('alice/nothin') },
    },
  ]
}

interface Asking {
  readonly headers: http.OutgoingHttpHeaders
  readonly agent: http.Agent
}

function mountAttempt(repositoryUrl: string, query: string, asking: Asking): Attempt {
  return async () => {
    const started = performance.now()
    const answer = await ask(`${repositoryUrl}/blobs/uploads/?${query}`, { ...asking, method: 'POST' })
    const elapsed = performance.now() - started
    expect(answer.status).toBe(202)
    const session = new URL(String(answer.headers.location), repositoryUrl)
    await ask(session.href, { ...asking, method: 'DELETE' })
    return elapsed * 1000
  }
}

function pullAttempt(url: string, asking: Asking): Attempt {
  const expected = asking.headers.authorization === undefined ? 401 : 403
  return async () => {
    const started = performance.now()
    const answer = await ask(url, asking)
    const elapsed = performance.now() - started
    expect(answer.status).toBe(expected)
    return elapsed * 1000
  }
}

async function openLogins(): Promise<AsyncDisposable & { question: Question }> {
  const opened = await openAuth({ passwords: createPasswordHasher() })
  const { accounts, authenticator } = opened.auth
  for (const name of ['known', 'gone']) {
    await accounts.add({ name, password: 'the right password', isAdmin: false }, tester)
  }
  await accounts.disable('gone', tester)
  let count = 0
  const login = (name: string, password?: string): Attempt => {
    return async () => {
      count += 1
      // Each from a different address: delays per address are not the subject here.
      const origin = { address: `10.0.${count >> 8}.${count & 255}`, client: undefined }
      const authorization = basic(name, password ?? `wrong password ${count}`)
      const started = performance.now()
      const refused = await Promise.resolve(authenticator.authenticate(authorization, origin)).then(
        () => false,
        () => true,
      )
      const elapsed = performance.now() - started
      expect(refused).toBe(true)
      return elapsed * 1000
    }
  }
  const attempts = {
    'known user': login('known'),
    'unknown user': login('nobod'),
    'disabled user, right password': login('gone', 'the right password'),
  }
  return {
    question: { what: 'login with a wrong password', tries: loginTries, attempts },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

async function answer(question: Question): Promise<{ figures: Figures; differs: string[] }> {
  const kinds = Object.entries(question.attempts).map(([kind, attempt]) => ({
    kind,
    attempt,
    times: [] as number[],
  }))
  for (let round = -warmUps; round < question.tries; round += 1) {
    for (let turn = 0; turn < kinds.length; turn += 1) {
      const chosen = kinds[(round + warmUps + turn) % kinds.length]
      const elapsed = await chosen?.attempt()
      if (elapsed !== undefined && round >= 0) chosen?.times.push(elapsed)
    }
  }
  const [first] = kinds
  const middle = median(first?.times ?? [])
  const noise = Math.max(...kinds.map(({ times }) => driftOf(times)))
  const allowed = Math.max(middle * tolerance, noise)
  const medians = kinds.map(({ kind, times }) => ({ kind, value: median(times) }))
  return {
    figures: {
      [`${question.what} (µs)`]: medians.map(({ kind, value }) => `${kind}: ${value.toFixed(1)}`).join('; '),
      [`${question.what}: may differ by (µs)`]: `${allowed.toFixed(1)} (halves of one kind: ${noise.toFixed(1)})`,
    },
    differs: medians
      .filter(({ value }) => Math.abs(value - middle) > allowed)
      .map(({ kind }) => `${question.what}: ${kind}`),
  }
}

/** Returns the difference between the medians of two halves; the halves alternate, so that a slow minute affects both. */
function driftOf(times: readonly number[]): number {
  const half = (parity: number): number[] =>
    times.filter((_time, index) => Math.floor(index / blockTries) % 2 === parity)
  return Math.abs(median(half(0)) - median(half(1)))
}

function keepAlive(): http.Agent & Disposable {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() })
}
