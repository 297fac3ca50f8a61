import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ask, openResponse } from '../../../test/support/http/client.ts'
import { BodyReader } from '../requests/body-reader.ts'
import { Cors } from './cors.ts'
import { ClientGoneError } from '../errors.ts'
import { Exchange } from '../exchange.ts'
import type { HttpLimits } from '../limits.ts'
import { defaultHttpLimits } from '../../../test/support/http/http-limits.ts'
import { RequestOrigin } from '../requests/origin.ts'
import { Readers } from '../connections/readers.ts'
import type { Reply, StreamBody } from './reply.ts'
import { sendReply } from './send-reply.ts'

interface Sender extends AsyncDisposable {
  readonly url: string
  /** The error of the first reply; `undefined` if it was sent. */
  readonly outcome: Promise<unknown>
}

/** Starts a server that sends one reply to any request. */
async function serve(
  reply: Reply,
  limits: Partial<HttpLimits> = {},
  onWatch: () => void = () => undefined,
): Promise<Sender> {
  const { promise: outcome, resolve } = Promise.withResolvers<unknown>()
  const allLimits = { ...defaultHttpLimits, ...limits }
  const readers = new Readers({ limits: allLimits, log: { debug: () => undefined } })
  const watch = readers.watch.bind(readers)
  readers.watch = (...given) => {
    onWatch()
    watch(...given)
  }
  const server = createServer((incoming, response) => {
    const body = new BodyReader(incoming, { idleMs: 1_000 })
    const origin = new RequestOrigin(
      incoming,
      { publicUrl: undefined, trustedProxies: { has: () => false } },
      'r-1',
    )
    const connection = { incoming, response, body, origin, cors: new Cors(), expectsContinue: false }
    const exchange = new Exchange({ ...connection, id: 'request-1', readers })
    sendReply(exchange, reply, allLimits).then(resolve, resolve)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    outcome,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

class Source implements StreamBody {
  readonly copyTo: StreamBody['copyTo']
  disposed = 0

  constructor(copyTo: StreamBody['copyTo']) {
    this.copyTo = copyTo
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposed += 1
    return Promise.resolve()
  }
}

const piece = Buffer.alloc(256 * 1024, 'x')
const pieces = 400

/** A source of 100 MiB; `written` returns how much of it was written. */
function aLongSource(): { source: Source; written: () => number } {
  let written = 0
  const source = new Source(async (sink) => {
    for (let i = 0; i < pieces; i++) {
      await sink.write(piece)
      written += 1
    }
  })
  return { source, written: () => written }
}

const longReply = (body: StreamBody): Reply => ({
  status: 200,
  headers: [],
  length: pieces * piece.length,
  body,
})

describe('a small reply', () => {
  test('is not watched when the kernel took it at once', async () => {
    let watched = 0
    const reply: Reply = { status: 200, headers: [], length: 3, body: Buffer.from('abc') }
    await using sender = await serve(reply, {}, () => (watched += 1))

    const { body } = await ask(sender.url)

    expect(body.toString()).toBe('abc')
    expect(watched).toBe(0)
  })
})

describe('a streamed reply', () => {
  test('waits for a slow reader, and goes on when it reads again', async () => {
    const { source, written } = aLongSource()
    await using sender = await serve(longReply(source))
    const response = await openResponse(sender.url)
    response.pause()
    // This request is answered after the reader has stopped.
    await ask(sender.url).catch(() => undefined)
    expect(written()).toBeLessThan(pieces * 2)
    let received = 0
    for await (const chunk of response) received += (chunk as Buffer).length
    expect(received).toBe(pieces * piece.length)
    expect(await sender.outcome).toBeUndefined()
  })

  test('is cut off when its client reads nothing for too long', async () => {
    const { source, written } = aLongSource()
    await using sender = await serve(longReply(source), { replyIdleMs: 50 })
    const response = await openResponse(sender.url)
    response.on('error', () => undefined)
    response.pause()
    expect(await sender.outcome).toBeInstanceOf(ClientGoneError)
    expect(written()).toBeLessThan(pieces)
    expect(source.disposed).toBe(1)
  })

  test('ends with the connection of its reader', async () => {
    const { source, written } = aLongSource()
    await using sender = await serve(longReply(source))
    const response = await openResponse(sender.url)
    response.on('error', () => undefined)
    response.destroy()
    expect(await sender.outcome).toBeInstanceOf(ClientGoneError)
    expect(written()).toBeLessThan(pieces)
    expect(source.disposed).toBe(1)
  })

  test('aborts a source that waits for something else when the reader leaves', async () => {
    const source = new Source(async (sink, signal) => {
      await sink.write(Buffer.from('x'))
      await once(signal, 'abort')
      signal.throwIfAborted()
    })
    await using sender = await serve({ status: 200, headers: [], length: 2, body: source })
    const response = await openResponse(sender.url)
    response.on('error', () => undefined)
    response.destroy()
    expect(await sender.outcome).toBeInstanceOf(ClientGoneError)
  })

  test('cuts the connection when the source fails, so that no client mistakes half of it for the whole', async () => {
    const fault = new Error('unreadable')
    const source = new Source(async (sink) => {
      await sink.write(Buffer.from('x'))
      throw fault
    })
    await using sender = await serve({ status: 200, headers: [], length: 2, body: source })
    await expect(ask(sender.url)).rejects.toThrow('aborted')
    expect(await sender.outcome).toBe(fault)
    expect(source.disposed).toBe(1)
  })
})

describe('a reply', () => {
  test.each(['a small one', 'one of 16 MiB'])('in memory reaches its reader whole: %s', async (name) => {
    const body = Buffer.alloc(name === 'a small one' ? 10 : 16 * 1024 * 1024, 'x')
    await using sender = await serve({ status: 200, headers: [], length: body.length, body })
    expect((await ask(sender.url)).body.equals(body)).toBe(true)
    expect(await sender.outcome).toBeUndefined()
  })

  test('in memory is cut off, too, when its client reads nothing for too long', async () => {
    const body = Buffer.alloc(64 * 1024 * 1024, 'x')
    const reply = { status: 200, headers: [], length: body.length, body }
    await using sender = await serve(reply, { replyIdleMs: 50 })
    const response = await openResponse(sender.url)
    response.on('error', () => undefined)
    response.pause()
    expect(await sender.outcome).toBeInstanceOf(ClientGoneError)
  })

  test('to HEAD takes nothing from its source, and closes it', async () => {
    const { source, written } = aLongSource()
    await using sender = await serve(longReply(source))
    const answer = await ask(sender.url, { method: 'HEAD' })
    expect(answer.headers['content-length']).toBe(String(pieces * piece.length))
    expect([written(), source.disposed]).toEqual([0, 1])
  })

  test('whose source fails before the first byte sends no head, so that another can take its place', async () => {
    const fault = new Error('unreadable')
    const source = new Source(() => Promise.reject(fault))
    await using sender = await serve({ status: 200, headers: [], length: 2, body: source })
    const asked = ask(sender.url)
    asked.catch(() => undefined)
    expect(await sender.outcome).toBe(fault)
    expect(source.disposed).toBe(1)
  })

  test('carries the headers of every reply and its exact length', async () => {
    const body = Buffer.from('{"a":"é"}')
    await using sender = await serve({
      status: 200,
      headers: ['Content-Type', 'a/b'],
      length: body.length,
      body,
    })
    const answer = await ask(sender.url)
    expect(answer.headers).toMatchObject({
      'docker-distribution-api-version': 'registry/2.0',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'request-1',
      'content-type': 'a/b',
      'content-length': '10',
    })
    expect(answer.body.equals(body)).toBe(true)
  })

  test('to HEAD has the length and no body', async () => {
    const body = Buffer.from('{}')
    await using sender = await serve({ status: 404, headers: [], length: 2, body })
    const answer = await ask(sender.url, { method: 'HEAD' })
    expect(answer.headers['content-length']).toBe('2')
    expect(answer.body.length).toBe(0)
  })

  test('of status 204 or 304 has no length', async () => {
    await using sender = await serve({ status: 204, headers: ['Range', '0-0'], length: undefined })
    const answer = await ask(sender.url)
    expect(answer.headers['content-length']).toBeUndefined()
    expect(answer.headers['transfer-encoding']).toBeUndefined()
    expect(answer.headers.range).toBe('0-0')
  })
})
