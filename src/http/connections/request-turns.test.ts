/** Tests pipelined requests: how many are served at once, in which order, and what happens to those that wait. */
import { describe, expect, test } from 'vitest'
import { createCertificate } from '../../../test/support/content/certificate.ts'
import { ask } from '../../../test/support/http/client.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { openAuthenticator } from '../../../test/support/parts/open-identity.ts'
import { openServer } from '../../../test/support/parts/open-server.ts'
import type { OpenServer, OpenServerOptions } from '../../../test/support/parts/open-server.ts'
import { aRandomBlob } from '../../../test/support/content/random.ts'
import { RawConnection, statusesIn } from '../../../test/support/http/raw-connection.ts'
import { openSession } from '../../../test/support/uploads/upload-session.ts'
import { anonymous } from '../../identity/principal.ts'
import type { CloseReason } from '../observer.ts'

const ping = 'GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n'
const pingAndClose = 'GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
const unknown = 'GET /v2/a/b/tags/list HTTP/1.1\r\nHost: x\r\n\r\n'
const mebibyte = 1024 * 1024

interface Held {
  readonly server: OpenServer
  /** The requests that have reached the authenticator and wait there. */
  readonly held: (() => void)[]
  readonly closed: CloseReason[]
  /** How many have reached it since the start. */
  reached(): number
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a server whose requests stop in the middle until the test lets them continue. */
async function openHeld(options: OpenServerOptions = {}): Promise<Held> {
  const held: (() => void)[] = []
  const closed: CloseReason[] = []
  let reached = 0
  const server = await openServer({
    authenticator: {
      ...openAuthenticator,
      authenticate: async () => {
        reached += 1
        await new Promise<void>((resolve) => held.push(resolve))
        return anonymous
      },
    },
    observer: { onRequest: () => undefined, onConnectionClosed: (reason) => void closed.push(reason) },
    ...options,
  })
  return {
    server,
    held,
    closed,
    reached: () => reached,
    async [Symbol.asyncDispose]() {
      for (const release of held) release()
      await server[Symbol.asyncDispose]()
    },
  }
}

const counts = ({ server }: Held) => server.server.counts()

async function letOneGo({ held }: Held): Promise<void> {
  const [release] = await eventually(
    () => held.splice(0),
    (released) => released.length > 0,
  )
  release?.()
}

describe.each([
  ['in clear', {}, (url: string) => RawConnection.open(url)],
  ['over TLS', { tls: createCertificate() }, (url: string) => RawConnection.openTls(url)],
])('pipelined requests %s', (_name, options, open) => {
  test('are served one at a time, in their order, and wait without being looked at', async () => {
    await using scene = await openHeld(options)
    using connection = await open(scene.server.url)
    connection.write(ping + unknown + ping + pingAndClose)
    for (const waiting of [3, 2, 1, 0]) {
      await eventually(
        () => counts(scene),
        ({ requestsWaiting }) => requestsWaiting === waiting,
      )
      await eventually(
        () => scene.held.length,
        (length) => length === 1,
      )
      expect(counts(scene).requestsInFlight).toBe(1)
      expect(scene.reached()).toBe(4 - waiting)
      await letOneGo(scene)
    }
    expect(statusesIn(await connection.untilClosed())).toEqual([200, 404, 200, 200])
  })

  test('keep the bodies that they came with', async () => {
    await using server = await openServer(options)
    const blob = aRandomBlob(mebibyte)
    using connection = await open(server.url)
    const head = (method: string, target: string, length: number): string =>
      `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`
    const target = `/v2/a/b/blobs/uploads/?digest=${blob.digest}`
    connection.write(
      Buffer.concat([
        Buffer.from(ping + head('POST', target, blob.size)),
        blob.bytes,
        Buffer.from(head('PUT', '/v2/a/b/manifests/x', 2)),
        Buffer.from(`{}${head('POST', target, blob.size)}`),
        blob.bytes,
        Buffer.from(pingAndClose),
      ]),
    )
    expect(statusesIn(await connection.untilClosed())).toEqual([200, 201, 400, 201, 200])
  })
})

describe('requests that wait', () => {
  test('are not served in the turn of the event loop in which the one before was, also when each has a body', async () => {
    let [inTurn, most, answered] = [0, 0, 0]
    await using server = await openServer({
      observer: {
        onRequest() {
          answered += 1
          inTurn += 1
          if (inTurn === 1) setImmediate(() => (inTurn = 0))
          most = Math.max(most, inTurn)
        },
      },
    })
    using connection = await RawConnection.open(server.url)
    const withBody = 'POST /v2/unknown HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}'
    connection.write(withBody.repeat(15) + pingAndClose)
    await connection.untilClosed()
    expect(answered).toBe(16)
    // The immediate above may come after the one in which the next request is served.
    expect(most).toBeLessThanOrEqual(2)
  })

  test('keep the socket from being read, so that no more are parsed', async () => {
    await using scene = await openHeld()
    using connection = await RawConnection.open(scene.server.url)
    connection.write(ping + ping)
    await eventually(
      () => counts(scene).requestsWaiting,
      (waiting) => waiting === 1,
    )
    connection.write(ping.repeat(1000))
    // A request on another connection is served in the meantime, so the bytes written before it have arrived.
    const other = ask(`${scene.server.url}/healthz`)
    expect((await other).status).toBe(200)
    expect(counts(scene).requestsWaiting).toBe(1)
    expect(scene.closed).toEqual([])
  })

  test('go with their connection', async () => {
    await using scene = await openHeld()
    using connection = await RawConnection.open(scene.server.url)
    connection.write(ping + ping + ping)
    await eventually(
      () => counts(scene).requestsWaiting,
      (waiting) => waiting === 2,
    )
    connection.reset()
    await letOneGo(scene)
    await eventually(
      () => counts(scene),
      ({ requestsWaiting, requestsInFlight, connections }) =>
        requestsWaiting === 0 && requestsInFlight === 0 && connections === 0,
    )
    expect(scene.reached()).toBe(1)
  })

  test('get 100 Continue when their turn has come, not before', async () => {
    const session = { path: '' }
    await using scene = await openHeld()
    const opened = openSession(`${scene.server.url}/v2/a/b`)
    await letOneGo(scene)
    session.path = new URL(await opened).pathname
    using connection = await RawConnection.open(scene.server.url)
    const patch = `PATCH ${session.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`
    connection.write(ping + patch)
    await eventually(
      () => counts(scene).requestsWaiting,
      (waiting) => waiting === 1,
    )
    expect(connection.received).toBe('')
    await letOneGo(scene)
    await letOneGo(scene)
    await connection.until((received) => statusesIn(received).includes(100))
    connection.write('hello')
    const received = await connection.until((text) => text.includes('Range: 0-4'))
    expect(statusesIn(received)).toEqual([200, 100, 202])
  })

  test('close the connection when there are too many, with a line at debug', async () => {
    await using scene = await openHeld({ limits: { waitingPerConnection: 3 } })
    using connection = await RawConnection.open(scene.server.url)
    connection.write(ping.repeat(1000))
    expect(await connection.untilClosed()).toBe('')
    expect(scene.closed).toEqual(['pipelining'])
    expect(scene.reached()).toBe(1)
    expect(scene.server.logged.filter(({ message }) => message.includes('too many requests'))).toMatchObject([
      { level: 'debug', fields: { limit: 3 } },
    ])
    await eventually(
      () => counts(scene),
      ({ requestsWaiting, connections }) => requestsWaiting === 0 && connections === 0,
    )
  })

  test('open no blob before their turn', async () => {
    let open = 0
    let mostOpen = 0
    await using server = await openServer({
      registry: {
        wrapStore: (store) =>
          new Proxy(store, {
            get(target, name) {
              const member = Reflect.get(target, name, target) as unknown
              if (typeof member !== 'function') return member
              if (name !== 'open') return member.bind(target) as unknown
              return async (...args: Parameters<typeof store.open>) => {
                const reader = await target.open(...args)
                mostOpen = Math.max(mostOpen, (open += 1))
                const close = reader[Symbol.asyncDispose].bind(reader)
                reader[Symbol.asyncDispose] = () => {
                  open -= 1
                  return close()
                }
                return reader
              }
            },
          }),
      },
    })
    const blob = aRandomBlob(2 * mebibyte)
    const target = `/v2/a/b/blobs/uploads/?digest=${blob.digest}`
    await ask(server.url + target, { method: 'POST', body: blob.bytes })
    using connection = await RawConnection.open(server.url)
    const get = `GET /v2/a/b/blobs/${blob.digest} HTTP/1.1\r\nHost: x\r\n\r\n`
    connection.write(get.repeat(10) + pingAndClose)
    expect(statusesIn(await connection.untilClosed())).toHaveLength(11)
    expect([mostOpen, open]).toEqual([1, 0])
  })
})

describe('what cannot be parsed', () => {
  test('is refused after the replies to what came before it', async () => {
    await using scene = await openHeld()
    using connection = await RawConnection.open(scene.server.url)
    connection.write(`${ping}${unknown}nonsense\r\n\r\n`)
    await letOneGo(scene)
    await letOneGo(scene)
    expect(statusesIn(await connection.untilClosed())).toEqual([200, 404, 400])
  })

  test('is refused without serving the request that it is the body of', async () => {
    await using scene = await openHeld()
    using connection = await RawConnection.open(scene.server.url)
    const put = 'PUT /v2/a/b/manifests/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'
    connection.write(ping + put)
    await letOneGo(scene)
    expect(statusesIn(await connection.untilClosed())).toEqual([200, 400])
    expect(scene.reached()).toBe(1)
  })

  test('an unknown expectation waits for its turn like every request', async () => {
    await using scene = await openHeld()
    using connection = await RawConnection.open(scene.server.url)
    connection.write(`${ping}GET /v2/ HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nConnection: close\r\n\r\n`)
    await letOneGo(scene)
    const received = await connection.untilClosed()
    expect(statusesIn(received)).toEqual([200, 417])
    expect(received).toContain('"UNSUPPORTED"')
  })
})

describe('close', () => {
  test('answers the current request and drops the waiting ones', async () => {
    await using scene = await openHeld()
    using connection = await RawConnection.open(scene.server.url)
    connection.write(ping + ping + ping)
    await eventually(
      () => counts(scene).requestsWaiting,
      (waiting) => waiting === 2,
    )
    const closed = scene.server.server.close({ deadlineMs: 10_000 })
    await letOneGo(scene)
    const received = await connection.untilClosed()
    expect(statusesIn(received)).toEqual([200])
    expect(received).toContain('Connection: close')
    await closed
    expect(scene.reached()).toBe(1)
    expect(counts(scene).requestsWaiting).toBe(0)
  })
})

describe('HTTP/1.0', () => {
  test('requests on a kept connection are served in turn', async () => {
    await using server = await openServer()
    using connection = await RawConnection.open(server.url)
    const old = (keep: string): string => `HEAD /v2/ HTTP/1.0\r\nConnection: ${keep}\r\n\r\n`
    connection.write(old('keep-alive') + old('keep-alive') + old('close'))
    expect(statusesIn(await connection.untilClosed())).toEqual([200, 200, 200])
  })
})
