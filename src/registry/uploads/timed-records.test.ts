import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { otherProcess } from '../../../test/support/uploads/other-uploads.ts'
import { caller, openRegistry, type OpenRegistry } from '../../../test/support/parts/open-registry.ts'
import { TestTimers } from '../../../test/support/parts/test-timers.ts'
import { FailingBlobStore, type FaultPlan } from '../../blob-store/contract/failing-blob-store.ts'
import { claimUpload, findUpload } from '../../metadata/content/uploads.ts'
import { digestBytes } from '../../oci/digest.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()

/** A body whose pieces arrive when the test sends them; `send` resolves when the piece is read and the next one awaited. */
class SentBody implements AsyncIterable<Uint8Array> {
  #piece = Promise.withResolvers<Uint8Array | undefined>()
  #wanted = Promise.withResolvers<void>()

  async send(text: string | Uint8Array): Promise<void> {
    await this.#wanted.promise
    this.#wanted = Promise.withResolvers()
    const { resolve } = this.#piece
    this.#piece = Promise.withResolvers()
    resolve(Buffer.from(text))
    await this.#wanted.promise
  }

  async end(): Promise<void> {
    await this.#wanted.promise
    this.#piece.resolve(undefined)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { promise } = this.#piece
      this.#wanted.resolve()
      const piece = await promise
      if (piece === undefined) return
      yield piece
    }
  }
}

/** Waits for the state that a background record causes; a record that never comes ends with the test's timeout. */
async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await turn()
}

/** Enough time for a record that should not come: many turns, each long enough for a transaction. */
async function manyTurns(): Promise<void> {
  for (let count = 0; count < 200; count += 1) await turn()
}

async function setUp(plan?: FaultPlan) {
  const timers = new TestTimers()
  let syncs = 0
  const counting: FaultPlan = (call) => {
    if (call.operation === 'sync') syncs += 1
    return plan?.(call)
  }
  const open = await openRegistry({
    timers,
    maxSessions: 300,
    wrapStore: (store) => new FailingBlobStore(store, counting),
  })
  const recorded = async (id: string): Promise<number | undefined> =>
    (await findUpload(open.metadata.reader, id))?.offset
  return {
    open,
    timers,
    recorded,
    syncs: () => syncs,
    [Symbol.asyncDispose]: () => open[Symbol.asyncDispose](),
  }
}

async function begin(open: OpenRegistry, start?: number) {
  const { uploads } = open.registry
  const { id } = await uploads.start({ repository, caller })
  const body = new SentBody()
  const request = { repository, id, caller }
  const done = uploads.append({ ...request, body, signal, ...(start !== undefined && { start }) })
  done.catch(() => undefined)
  return { id, body, request, done }
}

describe('a body in progress', () => {
  test('is recorded a second after its first byte, also when the peer stalls', async () => {
    await using set = await setUp()
    const { open, timers, recorded } = set
    const { id, body } = await begin(open)
    await body.send('abc')
    timers.advance(999)
    await manyTurns()
    expect(await recorded(id)).toBe(0)
    timers.advance(1)
    await until(async () => (await recorded(id)) === 3)
    await body.send('de')
    timers.advance(1_000)
    await until(async () => (await recorded(id)) === 5)
  })

  test('continues in another process after a kill, from the recorded state', async () => {
    await using set = await setUp()
    const { open, timers, recorded } = set
    const { id, body, request } = await begin(open, 0)
    await body.send('abc')
    timers.advance(1_000)
    await until(async () => (await recorded(id)) === 3)
    await body.send('lost')
    expect((await findUpload(open.metadata.reader, id))?.hash).toMatchObject({ offset: 3 })
    expect((await findUpload(open.metadata.reader, id))?.hash?.state).toBeDefined()
    const uploads = otherProcess(open, { timers: new TestTimers() })
    expect(await uploads.status(request)).toMatchObject({ offset: 3 })
    const rest = new SentBody()
    const appended = uploads.append({ ...request, body: rest, start: 3, signal })
    await rest.send('def')
    await rest.end()
    await appended
    // The stored hash state was resumed: nothing must be read again.
    expect((await findUpload(open.metadata.reader, id))?.hash?.digest).toBe(
      digestBytes(Buffer.from('abcdef')),
    )
    const digest = digestBytes(Buffer.from('abcdef'))
    expect(await uploads.commit({ ...request, digest, signal })).toEqual({ digest, size: 6 })
  })

  test('costs no record and no timer while no bytes arrive', async () => {
    await using set = await setUp()
    const { open, timers, recorded, syncs } = set
    const { id, body } = await begin(open)
    expect(timers.size).toBe(0)
    await body.send('abc')
    timers.advance(1_000)
    await until(async () => (await recorded(id)) === 3)
    await until(() => timers.size === 0)
    for (let second = 0; second < 60; second += 1) timers.advance(1_000)
    await manyTurns()
    expect([syncs(), timers.size]).toEqual([1, 0])
  })

  test('has one record at a time, and the next one covers bytes that arrived during it', async () => {
    const gate = Promise.withResolvers<void>()
    await using set = await setUp(({ operation, count }) =>
      operation === 'sync' && count === 1 ? { kind: 'wait', until: gate.promise } : undefined,
    )
    const { open, timers, recorded, syncs } = set
    const { id, body } = await begin(open)
    await body.send('abc')
    timers.advance(1_000)
    await until(() => syncs() === 1)
    for (let second = 0; second < 5; second += 1) {
      await body.send('d')
      timers.advance(1_000)
    }
    await manyTurns()
    expect(syncs()).toBe(1)
    gate.resolve()
    await until(async () => (await recorded(id)) === 8)
    expect(syncs()).toBe(2)
  })

  test('continues when a record finds no database, and is recorded by the next one', async () => {
    await using set = await setUp()
    const { open, timers, recorded } = set
    const { id, body, done } = await begin(open)
    const transact = open.metadata.transact.bind(open.metadata)
    let failures = 0
    open.metadata.transact = () => {
      failures += 1
      return Promise.reject(new Error('the database is away'))
    }
    await body.send('abc')
    timers.advance(1_000)
    await until(() => failures === 1)
    open.metadata.transact = transact
    await until(() => timers.size === 1)
    timers.advance(1_000)
    await until(async () => (await recorded(id)) === 3)
    await body.end()
    expect(await done).toMatchObject({ offset: 3 })
  })

  test('that ends because a record of many bytes failed keeps its bytes and releases the session', async () => {
    await using set = await setUp()
    const { open } = set
    const { id, body, done } = await begin(open)
    const transact = open.metadata.transact.bind(open.metadata)
    const failed = Promise.withResolvers<void>()
    open.metadata.transact = () => {
      failed.resolve()
      return Promise.reject(new Error('the database is away'))
    }
    const piece = Buffer.alloc(32 * 1024 * 1024)
    await body.send(piece)
    await failed.promise
    open.metadata.transact = transact
    void body.send(piece)
    await expect(done).rejects.toThrow('the database is away')
    const row = await findUpload(open.metadata.reader, id)
    expect(row).toMatchObject({ offset: 2 * piece.length, writer: undefined, generation: 0 })
  })

  test('ends when a record finds that another process has taken over the session', async () => {
    await using set = await setUp()
    const { open, timers } = set
    const { id, body, done } = await begin(open)
    await body.send('abc')
    await open.metadata.transact((tx) => claimUpload(tx, { id, writer: 'elsewhere', now: 0 }))
    timers.advance(1_000)
    await expect(done).rejects.toMatchObject({ code: 'RANGE_INVALID', offset: 0 })
  })
})

describe('200 slow bodies at once', () => {
  test('sync two files at a time, and all are recorded', async () => {
    const hold = { isOn: true, gate: Promise.withResolvers<void>() }
    await using set = await setUp(({ operation }) =>
      operation === 'sync' && hold.isOn ? { kind: 'wait', until: hold.gate.promise } : undefined,
    )
    const { timers, recorded, syncs } = set
    const open = set.open
    const begun = await Promise.all(Array.from({ length: 200 }, () => begin(open)))
    await Promise.all(begun.map(({ body }) => body.send(randomBytes(10))))
    timers.advance(1_000)
    await manyTurns()
    expect(syncs()).toBe(2)
    hold.isOn = false
    hold.gate.resolve()
    for (const { id } of begun) await until(async () => (await recorded(id)) === 10)
    expect(syncs()).toBe(200)
  })

  test('do not keep one that ends waiting for its turn', async () => {
    const held = new Set<string>()
    await using set = await setUp(({ operation, key = '' }) =>
      operation === 'sync' && held.has(key) ? { kind: 'hang' } : undefined,
    )
    const { open, timers, syncs } = set
    const hung = await Promise.all([begin(open), begin(open)])
    for (const { id, body } of hung) {
      held.add((await findUpload(open.metadata.reader, id))?.storageKey ?? '')
      await body.send('abc')
    }
    timers.advance(1_000)
    await until(() => syncs() === 2)
    const { body, done } = await begin(open)
    await body.send('abc')
    timers.advance(1_000)
    await body.end()
    expect(await done).toMatchObject({ offset: 3 })
  })
})
