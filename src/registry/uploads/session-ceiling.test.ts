import { describe, expect, test } from 'vitest'
import {
  bodyOf,
  caller,
  openRegistry,
  testLives,
  type OpenRegistry,
} from '../../../test/support/parts/open-registry.ts'
import { otherProcess } from '../../../test/support/uploads/other-uploads.ts'
import { expireUploads } from '../../lifecycle/expire-uploads.ts'
import { countUploads } from '../../metadata/content/upload-ceiling.ts'
import { findUpload } from '../../metadata/content/uploads.ts'
import { digestBytes } from '../../oci/digest.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import type { Caller } from '../caller.ts'
import { holderOf, uploadLives } from './session-ceiling.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()
const minuteMs = 60_000
const unknown = { code: 'BLOB_UPLOAD_UNKNOWN' }

function callerAt(address: string): Caller {
  return { ...caller, origin: { address } as Caller['origin'] }
}

async function startOne(open: OpenRegistry, from: Caller = caller) {
  const { id } = await open.registry.uploads.start({ repository, caller: from })
  return { repository, id, caller: from }
}

/** Opens `count` sessions, a millisecond apart. */
async function startSome(open: OpenRegistry, count: number, from: Caller = caller) {
  const sessions = []
  for (let index = 0; index < count; index += 1) {
    sessions.push(await startOne(open, from))
    open.clock.advance(1)
  }
  return sessions
}

async function fill(open: OpenRegistry, request: Awaited<ReturnType<typeof startOne>>): Promise<void> {
  await open.registry.uploads.append({ ...request, body: bodyOf([Buffer.from('abc')]), signal })
}

async function openOnes(open: OpenRegistry, requests: Awaited<ReturnType<typeof startSome>>) {
  const rows = requests.map(({ id }) => findUpload(open.metadata.reader, id))
  return (await Promise.all(rows)).map((row) => row !== undefined)
}

/** Counts the most transactions in progress at the same time. */
function countTransactions(metadata: OpenRegistry['metadata']) {
  let now = 0
  const counter = {
    most: 0,
    metadata: new Proxy(metadata, {
      get(target, name) {
        if (name !== 'transact') return Reflect.get(target, name, target) as unknown
        return async (...options: Parameters<typeof metadata.transact>) => {
          now += 1
          counter.most = Math.max(counter.most, now)
          return target.transact(...options).finally(() => {
            now -= 1
          })
        }
      },
    }),
  }
  return counter
}

describe('at the ceiling', () => {
  test('a new session ends the oldest one without a byte, which is then unknown', async () => {
    await using open = await openRegistry({ maxSessions: 4 })
    const sessions = await startSome(open, 10)
    const gone = [true, true, true, true, true, true]
    expect(await openOnes(open, sessions)).toEqual([...gone.map(() => false), true, true, true, true])
    const { uploads } = open.registry
    const [first] = sessions
    if (first === undefined) throw new Error('no session')
    const digest = digestBytes(Buffer.from('abc'))
    await expect(uploads.status(first)).rejects.toMatchObject(unknown)
    await expect(uploads.cancel(first)).rejects.toMatchObject(unknown)
    await expect(fill(open, first)).rejects.toMatchObject(unknown)
    const body = bodyOf([Buffer.from('abc')])
    await expect(uploads.commit({ ...first, digest, body, signal })).rejects.toMatchObject(unknown)
    // A session that its client had abandoned can still be written while it is open.
    await Promise.all(sessions.slice(6).map((session) => fill(open, session)))
  })

  test('a session with a byte stays at any age, and so does one whose bytes are arriving', async () => {
    await using open = await openRegistry({ maxSessions: 3 })
    const [filled, writing, empty] = await startSome(open, 3)
    if (filled === undefined || writing === undefined || empty === undefined) throw new Error('no sessions')
    await fill(open, filled)
    const taken = Promise.withResolvers<void>()
    const rest = Promise.withResolvers<void>()
    const body = (async function* () {
      yield Buffer.from('a')
      taken.resolve()
      await rest.promise
      yield Buffer.from('bc')
    })()
    const { uploads } = open.registry
    const appended = uploads.append({ ...writing, body, signal })
    await taken.promise
    // The row does not show the byte yet.
    expect(await findUpload(open.metadata.reader, writing.id)).toMatchObject({ offset: 0 })
    await startOne(open)
    expect(await openOnes(open, [filled, writing, empty])).toEqual([true, true, false])
    await startOne(open)
    rest.resolve()
    expect(await appended).toMatchObject({ offset: 3 })
  })

  test('each of many first bytes and many new sessions at the same time either counts or gets 404', async () => {
    const maxSessions = 40
    await using open = await openRegistry({ maxSessions })
    const old = await startSome(open, maxSessions)
    const fills = old.map((session) =>
      fill(open, session).then(
        () => true,
        () => false,
      ),
    )
    const starts = Array.from({ length: maxSessions }, () => startOne(open).catch(() => undefined))
    const filled = await Promise.all(fills)
    await Promise.all(starts)
    expect(await openOnes(open, old)).toEqual(filled)
    expect(await countUploads(open.metadata.reader, holderOf(caller))).toBe(maxSessions)
  })

  test('where each session holds bytes, a new one is refused until the next would expire', async () => {
    await using open = await openRegistry({ maxSessions: 2 })
    for (const request of await startSome(open, 2)) {
      await fill(open, request)
      open.clock.advance(10 * minuteMs)
    }
    const refusal = await startOne(open).catch((error: unknown) => error)
    const wanted = (testLives.withBytesMs - 20 * minuteMs) / 1_000
    expect(refusal).toMatchObject({ code: 'TOOMANYREQUESTS', detail: { limit: 2 } })
    const { retryAfterSeconds } = refusal as { retryAfterSeconds: number }
    expect(Math.abs(retryAfterSeconds - wanted)).toBeLessThanOrEqual(1)
    open.clock.advance((retryAfterSeconds - 1) * 1_000)
    await expect(startOne(open)).rejects.toMatchObject({ retryAfterSeconds: 1 })
    open.clock.advance(1_000)
    await startOne(open)
    await expect(startOne(open)).resolves.toBeDefined()
  })

  test('a session that another process may be writing to stays; the process opens others', async () => {
    await using open = await openRegistry({ maxSessions: 4 })
    const there = otherProcess(open, { maxSessions: 4 })
    const sessions = await startSome(open, 4)
    for (let count = 0; count < 4; count += 1) await there.start({ repository, caller })
    // The first half has a writer that only this process knows; no other process can tell whether it writes.
    expect(await openOnes(open, sessions)).toEqual([true, true, false, false])
    expect(await countUploads(open.metadata.reader, holderOf(caller))).toBe(4)
    const [first] = sessions
    if (first === undefined) throw new Error('no session')
    await fill(open, first)
    open.clock.advance(testLives.emptyMs + 1)
    await there.start({ repository, caller })
    expect(await openOnes(open, sessions)).toEqual([true, false, false, false])
  })

  test('a ceiling that was lowered holds again after some requests', async () => {
    await using open = await openRegistry({ maxSessions: 250 })
    await startSome(open, 250)
    const lowered = otherProcess(open, { maxSessions: 10 })
    open.clock.advance(testLives.emptyMs + 1)
    for (let count = 0; count < 3; count += 1) await lowered.start({ repository, caller })
    expect(await countUploads(open.metadata.reader, holderOf(caller))).toBe(10)
  })
})

describe('near the ceiling', () => {
  test('many new sessions of one holder take one transaction at a time, and others do not wait in their line', async () => {
    await using open = await openRegistry({ maxSessions: 4 })
    for (const session of await startSome(open, 4)) await fill(open, session)
    const transactions = countTransactions(open.metadata)
    const uploads = otherProcess(open, { maxSessions: 4, metadata: transactions.metadata })
    const start = (from: Caller) => uploads.start({ repository, caller: from }).catch(() => undefined)
    await start(caller)
    transactions.most = 0
    const ended: string[] = []
    const many = Array.from({ length: 30 }, () => start(caller).then(() => ended.push('many')))
    const other = start(callerAt('192.0.2.9')).then(() => ended.push('other'))
    await Promise.all([...many, other])
    expect(transactions.most).toBe(2)
    expect(ended.indexOf('other')).toBeLessThan(3)
  })
})

describe('the ceiling counts', () => {
  test('neither pushes in one request nor mounts', async () => {
    await using open = await openRegistry({ maxSessions: 1 })
    const { uploads, blobs } = open.registry
    const held = await startOne(open)
    await fill(open, held)
    const push = { repository, caller, signal }
    const digest = digestBytes(Buffer.from('abc'))
    await uploads.push({ ...push, digest, body: bodyOf([Buffer.from('abc')]) })
    const other = parseRepositoryName('acme/other')
    expect(await blobs.mount({ repository: other, digest, from: repository, caller })).toBe(true)
    const hanging = Promise.withResolvers<void>()
    const body = (async function* () {
      yield Buffer.from('a')
      await hanging.promise
      yield Buffer.from('bc')
    })()
    const slow = uploads.push({ ...push, digest, body })
    await uploads.cancel(held)
    // A push is in progress: it takes no place, and its session is not ended for another.
    const [one, two] = [await startOne(open), await startOne(open)]
    expect(await openOnes(open, [one, two])).toEqual([false, true])
    hanging.resolve()
    expect(await slow).toEqual({ digest, size: 3 })
  })

  test('anonymous clients by address, an IPv6 network as one', async () => {
    await using open = await openRegistry({ maxSessions: 1 })
    const addresses = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8:0:1::1']
    for (const address of addresses) await fill(open, await startOne(open, callerAt(address)))
    for (const address of [...addresses, '::ffff:192.0.2.1', '2001:db8::ffff:2']) {
      await expect(startOne(open, callerAt(address))).rejects.toMatchObject({ code: 'TOOMANYREQUESTS' })
    }
    await startOne(open, callerAt('2001:db8:0:2::1'))
  })

  test('a session continues from another address of its anonymous client', async () => {
    await using open = await openRegistry({ maxSessions: 1 })
    const request = await startOne(open, callerAt('192.0.2.1'))
    await fill(open, { ...request, caller: callerAt('198.51.100.7') })
    expect(await open.registry.uploads.status(request)).toMatchObject({ offset: 3 })
  })

  test('an account as one holder, from any address', async () => {
    const origin = { address: '192.0.2.1' } as Caller['origin']
    const principal = {
      kind: 'user' as const,
      accountId: 7,
      name: 'ada',
      isAdmin: false,
      scopes: undefined,
    }
    expect(holderOf({ principal, origin })).toBe('user:7')
  })
})

describe('a session without a byte', () => {
  test('ends after minutes, a session with a byte after a day', async () => {
    await using open = await openRegistry()
    const [empty, filled] = await startSome(open, 2)
    if (empty === undefined || filled === undefined) throw new Error('no sessions')
    await fill(open, filled)
    open.clock.advance(testLives.emptyMs - minuteMs)
    expect(await expireUploads(open, testLives, signal)).toBe(0)
    open.clock.advance(minuteMs + 1)
    expect(await expireUploads(open, testLives, signal)).toBe(1)
    expect(await openOnes(open, [empty, filled])).toEqual([false, true])
    open.clock.advance(testLives.withBytesMs)
    expect(await expireUploads(open, testLives, signal)).toBe(1)
  })

  test('lives for minutes, longer than a first writer may be silent, and no longer than any session', () => {
    const dayMs = 24 * 60 * minuteMs
    expect(uploadLives({ expireAfterMs: dayMs, idleTimeoutMs: minuteMs })).toEqual(testLives)
    const patient = uploadLives({ expireAfterMs: dayMs, idleTimeoutMs: 30 * minuteMs })
    expect(patient).toEqual({ withBytesMs: dayMs, emptyMs: 32 * minuteMs })
    const short = uploadLives({ expireAfterMs: minuteMs, idleTimeoutMs: minuteMs })
    expect(short).toEqual({ withBytesMs: minuteMs, emptyMs: minuteMs })
  })
})
