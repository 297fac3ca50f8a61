/** The responses to clients when the blob store fails, does not respond or is slow. */
import http from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'

import type { BlobReader, StoredBlob } from '../../src/blob-store/blob-store.ts'
import type { FailingOperation, FaultPlan } from '../../src/blob-store/contract/failing-blob-store.ts'
import { FailingBlobStore, failOn } from '../../src/blob-store/contract/failing-blob-store.ts'
import { ForwardingBlobStore } from '../../src/blob-store/forwarding-blob-store.ts'
import { StoreFull, StoreUnavailable } from '../../src/blob-store/errors.ts'
import { expectError, expectStatus } from '../support/http/answers.ts'
import type { BlobPush } from '../support/uploads/blob-pushes.ts'
import {
  pushAtOnce,
  pushByChunks,
  pushByPatch,
  pushByPut,
  RefusedError,
} from '../support/uploads/blob-pushes.ts'
import { ask } from '../support/http/client.ts'
import { Gate, holdFirst } from '../support/faults/gate.ts'
import { pushBlob } from '../support/content/manifests.ts'
import { openServer } from '../support/parts/open-server.ts'
import type { TestBlob } from '../support/content/random.ts'
import { aRandomBlob } from '../support/content/random.ts'

const pushes: Readonly<Record<string, BlobPush>> = {
  'end-4b': pushAtOnce,
  'end-6': pushByPut,
  'end-5': pushByPatch,
  'end-5 in ranges': pushByChunks,
}

const errors: readonly (readonly [number, Error])[] = [
  [503, new StoreUnavailable('the disk is away', { retryable: true })],
  [507, new StoreFull('the disk is full')],
  [500, new Error('an unexpected error')],
]

const writes: readonly FailingOperation[] = ['openSegment', 'write', 'sync', 'commit']

async function aServer(plan: FaultPlan) {
  const server = await openServer({ registry: { wrapStore: (store) => new FailingBlobStore(store, plan) } })
  const agent = new http.Agent({ keepAlive: true })
  onTestFinished(async () => {
    agent.destroy()
    await server[Symbol.asyncDispose]()
  })
  return { server, target: { repositoryUrl: `${server.url}/v2/a/b`, agent } }
}

/** Returns the status of the last request: that of the blob, or of the refused step. */
async function statusOf(push: Promise<{ readonly status: number }>): Promise<number> {
  try {
    return (await push).status
  } catch (error) {
    if (error instanceof RefusedError) return Number(/^answered (\d+)/.exec(error.message)?.[1])
    throw error
  }
}

async function expectServed(repositoryUrl: string, blob: TestBlob): Promise<void> {
  const answer = await ask(`${repositoryUrl}/blobs/${blob.digest}`)
  expectStatus(answer, 200)
  expect(answer.body).toEqual(blob.bytes)
}

describe.each(Object.entries(pushes))('%s: a store that fails', (_endpoint, push) => {
  const cases = writes.flatMap((operation) => errors.map(([status, error]) => ({ operation, status, error })))

  test.each(cases)('in $operation is $status, and the same push succeeds afterwards', async (fault) => {
    const { target } = await aServer(failOn(fault.operation, fault.error, 1))
    const blob = aRandomBlob(3_000)
    expect(await statusOf(push(target, blob))).toBe(fault.status)
    expectStatus(await ask(`${target.repositoryUrl}/blobs/${blob.digest}`), 404)
    expect(await statusOf(push(target, blob))).toBe(201)
    await expectServed(target.repositoryUrl, blob)
  })

  test('after the commit, whose result is lost, leaves no partial blob', async () => {
    const lost = new StoreUnavailable('the answer was lost', { retryable: true })
    const { target } = await aServer(({ operation, count }) =>
      operation === 'commit' && count === 1 ? { kind: 'fail-after', error: lost } : undefined,
    )
    const blob = aRandomBlob(3_000)
    expect(await statusOf(push(target, blob))).toBe(503)
    expectStatus(await ask(`${target.repositoryUrl}/blobs/${blob.digest}`), 404)
    expect(await statusOf(push(target, blob))).toBe(201)
    await expectServed(target.repositoryUrl, blob)
  })

  test.each(writes)('but is only slow in %s does not block other pushes and pulls', async (operation) => {
    const gate = new Gate()
    const { server, target } = await aServer(holdFirst(operation, gate))
    const slow = aRandomBlob(3_000)
    const pushed = push(target, slow)
    await gate.arrived
    for (const repositoryUrl of [target.repositoryUrl, `${server.url}/v2/c/d`]) {
      const other = aRandomBlob(3_000)
      await pushBlob(repositoryUrl, other)
      await expectServed(repositoryUrl, other)
    }
    expectStatus(await ask(`${target.repositoryUrl}/blobs/${slow.digest}`), 404)
    gate.open()
    expect(await statusOf(pushed)).toBe(201)
    await expectServed(target.repositoryUrl, slow)
  })
})

describe('end-2: a store that cannot read', () => {
  test.each(errors)('answers %i if it cannot open the blob', async (status, error) => {
    const { target } = await aServer(failOn('open', error, 1))
    const blob = aRandomBlob(3_000)
    await pushBlob(target.repositoryUrl, blob)
    const code = status === 500 ? 'UNKNOWN' : 'UNAVAILABLE'
    expectError(await ask(`${target.repositoryUrl}/blobs/${blob.digest}`), { status, code })
    await expectServed(target.repositoryUrl, blob)
  })

  test.each(errors)('answers %i if it cannot read the first byte', async (status, error) => {
    const { target } = await aServer(failOn('copy', error, 1))
    const blob = aRandomBlob(3_000)
    await pushBlob(target.repositoryUrl, blob)
    const code = status === 500 ? 'UNKNOWN' : 'UNAVAILABLE'
    expectError(await ask(`${target.repositoryUrl}/blobs/${blob.digest}`), { status, code })
    await expectServed(target.repositoryUrl, blob)
  })

  test('cuts the connection after the first bytes, so that no client mistakes a part for the whole', async () => {
    await using server = await openServer({ registry: { wrapStore: (store) => new HalfReadStore(store) } })
    const blob = aRandomBlob(3_000)
    const url = `${server.url}/v2/a/b`
    await pushBlob(url, blob)
    await expect(ask(`${url}/blobs/${blob.digest}`)).rejects.toThrow(/aborted|hang up|closed/)
    expect(server.logged.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'a reply failed midway' },
    ])
    await expectServed(url, blob)
  })
})

/** A store whose first read stops in the middle. */
class HalfReadStore extends ForwardingBlobStore {
  #isFirst = true

  override async open(stored: StoredBlob): Promise<BlobReader> {
    const reader = await super.open(stored)
    return {
      size: reader.size,
      copyTo: async (sink, options) => {
        if (!this.#isFirst) return reader.copyTo(sink, options)
        this.#isFirst = false
        await reader.copyTo(sink, { ...options, range: { start: 0, end: 999 } })
        throw new Error('a bad sector')
      },
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    }
  }
}
