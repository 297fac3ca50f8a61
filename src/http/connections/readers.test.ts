/** Tests the rules for readers with a fake clock; `send-reply.test.ts` tests them with real sockets and time-outs. */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { CloseReason } from '../observer.ts'
import { Readers } from './readers.ts'

const kibibyte = 1024
const limits = { replyIdleMs: 1_000, crowdedReplyIdleMs: 100, replyMemoryBytes: 200 * kibibyte }

function aScene() {
  const clock = { now: 0 }
  const closed: CloseReason[] = []
  const readers = new Readers({
    limits,
    log: { debug: () => undefined },
    observer: { onConnectionClosed: (reason) => void closed.push(reason) },
    now: () => clock.now,
  })
  const pass = (ms: number): void => {
    clock.now += ms
    readers.check()
  }
  return { readers, closed, pass }
}

/** The parts of a response that `Readers` uses. */
class FakeResponse extends EventEmitter {
  destroyed = false
  readonly socket = { bytesWritten: 100, writableLength: 100, remoteAddress: '127.0.0.1' }
  readonly req = { socket: this.socket }

  get writableLength(): number {
    return this.socket.writableLength
  }

  take(bytes: number): void {
    this.socket.writableLength -= bytes
  }

  offer(bytes: number): void {
    this.socket.bytesWritten += bytes
    this.socket.writableLength += bytes
  }

  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

function watch(readers: Readers, holdsMemory = false): FakeResponse {
  const response = new FakeResponse()
  readers.watch(response as unknown as ServerResponse, { holdsMemory })
  return response
}

const forever = (): AbortSignal => new AbortController().signal
const parties = Array.from({ length: 1_000 }, (_, index) => `user:${index}`).values()
/** Returns a reply with its own party. */
const aReply = () => ({ party: parties.next().value ?? '', reservedBytes: 0 })

describe('a reader', () => {
  test('is cut when it takes nothing for the whole limit, and not before', () => {
    const { readers, closed, pass } = aScene()
    const response = watch(readers)
    pass(999)
    expect(response.destroyed).toBe(false)
    pass(1)
    expect([response.destroyed, closed]).toEqual([true, ['reply-idle']])
  })

  test('is left alone while it takes something, however little', () => {
    const { readers, pass } = aScene()
    const response = watch(readers)
    for (let i = 0; i < 50; i++) {
      pass(900)
      response.take(1)
    }
    expect(response.destroyed).toBe(false)
  })

  test('does not answer for a source that gives it nothing', () => {
    const { readers, pass } = aScene()
    const response = watch(readers)
    response.take(100)
    pass(5_000)
    pass(5_000)
    response.offer(10)
    pass(999)
    expect(response.destroyed).toBe(false)
    pass(1)
    expect(response.destroyed).toBe(true)
  })

  test('that holds memory is cut sooner while another request waits for it, others are not', async () => {
    const { readers, closed, pass } = aScene()
    const streamed = watch(readers)
    const holder = watch(readers, true)
    using _ = readers.hold(aReply(), Buffer.alloc(150 * kibibyte))
    pass(500)
    expect(holder.destroyed).toBe(false)
    const waiting = readers.reserve(aReply(), 100 * kibibyte, forever)
    expect(readers.waiting).toBe(1)
    pass(0)
    expect([holder.destroyed, streamed.destroyed, closed]).toEqual([true, false, ['reply-idle']])
    _[Symbol.dispose]()
    await waiting
  })
})

test('a reader that takes little of the memory that others wait for is cut too', async () => {
  const { readers, closed, pass } = aScene()
  const [slow, fast] = [watch(readers, true), watch(readers, true)]
  for (const response of [slow, fast]) response.offer(10 * 1024 * kibibyte)
  const held = readers.hold(aReply(), Buffer.alloc(150 * kibibyte))
  const waiting = readers.reserve(aReply(), 100 * kibibyte, forever)
  for (let i = 0; i < 2; i++) {
    slow.take(500 * kibibyte)
    fast.take(1024 * kibibyte)
    pass(50)
  }
  expect([slow.destroyed, fast.destroyed, closed]).toEqual([true, false, ['reply-idle']])
  held[Symbol.dispose]()
  await waiting
})

test('a client that sends too little of a body into memory that others wait for is cut', async () => {
  const { readers, closed, pass } = aScene()
  const senders = [0, 500, 1024].map((kibibytes) => {
    const response = new FakeResponse()
    const incoming = { complete: false, socket: { bytesRead: 0, remoteAddress: '127.0.0.1' } }
    readers.watchSender(incoming as IncomingMessage, response as unknown as ServerResponse)
    return { response, incoming, bytes: kibibytes * kibibyte }
  })
  const send = (): void => {
    for (const { incoming, bytes } of senders) incoming.socket.bytesRead += bytes
    pass(50)
  }
  const [silent, slow, fast] = senders.map(({ response }) => response)
  const complete = new FakeResponse()
  const incoming = { complete: false, socket: { bytesRead: 0, remoteAddress: '127.0.0.1' } }
  readers.watchSender(incoming as IncomingMessage, complete as unknown as ServerResponse)
  incoming.complete = true
  for (let i = 0; i < 10; i++) send()
  expect(closed).toEqual([])
  const held = readers.hold(aReply(), Buffer.alloc(150 * kibibyte))
  const waiting = readers.reserve(aReply(), 100 * kibibyte, forever)
  for (let i = 0; i < 2; i++) send()
  expect([silent?.destroyed, slow?.destroyed, fast?.destroyed, complete.destroyed]).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(closed).toEqual(['body-idle', 'body-idle'])
  held[Symbol.dispose]()
  await waiting
})

describe('the memory of replies', () => {
  test('counts a buffer once, however many take it', () => {
    const { readers } = aScene()
    const bytes = Buffer.alloc(100 * kibibyte)
    const holds = Array.from({ length: 50 }, () => readers.hold(aReply(), bytes.subarray(10)))
    expect(readers.heldBytes).toBe(100 * kibibyte)
    for (const hold of holds) hold[Symbol.dispose]()
    expect(readers.heldBytes).toBe(0)
  })

  test('is set aside before a reply is made, and becomes what the reply takes', async () => {
    const { readers } = aScene()
    const reply = aReply()
    await readers.reserve(reply, 150 * kibibyte, forever)
    expect(readers.heldBytes).toBe(150 * kibibyte)
    const held = readers.hold(reply, Buffer.alloc(70 * kibibyte))
    expect(readers.heldBytes).toBe(70 * kibibyte)
    held[Symbol.dispose]()
    readers.release(reply)
    expect(readers.heldBytes).toBe(0)
  })

  test('makes large replies wait, and never a small one', async () => {
    const { readers } = aScene()
    const first = aReply()
    await readers.reserve(first, 200 * kibibyte, forever)
    let isMade = false
    const second = readers.reserve(aReply(), 64 * kibibyte, forever).then(() => void (isMade = true))
    await readers.reserve(aReply(), 64 * kibibyte - 1, forever)
    expect([isMade, readers.waiting]).toEqual([false, 1])
    readers.release(first)
    await second
  })

  test('is not taken for a client that leaves while it waits', async () => {
    const { readers } = aScene()
    const [first, second] = [aReply(), aReply()]
    await readers.reserve(first, 200 * kibibyte, forever)
    const client = new AbortController()
    const waiting = readers.reserve(second, 100 * kibibyte, () => client.signal)
    const gone = new Error('gone')
    client.abort(gone)
    await expect(waiting).rejects.toBe(gone)
    readers.release(first)
    readers.release(second)
    expect([readers.heldBytes, readers.waiting]).toEqual([0, 0])
  })

  test('is not kept from others by one party, whose requests wait for each other', async () => {
    const { readers } = aScene()
    const one = { party: 'user:one', reservedBytes: 0 }
    await readers.reserveBody(one, 100 * kibibyte, forever)
    const client = new AbortController()
    const more = Array.from({ length: 50 }, () =>
      readers.reserve({ party: 'user:one', reservedBytes: 0 }, 64 * kibibyte, () => client.signal),
    )
    await readers.reserve({ party: 'user:other', reservedBytes: 0 }, 64 * kibibyte, forever)
    expect([readers.waiting, readers.heldBytes]).toEqual([50, 164 * kibibyte])
    client.abort(new Error('gone'))
    await Promise.allSettled(more)
    readers.release(one)
    expect([readers.waiting, readers.heldBytes]).toEqual([0, 64 * kibibyte])
  })
})
