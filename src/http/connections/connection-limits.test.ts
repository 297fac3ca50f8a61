import { EventEmitter } from 'node:events'
import type { Server } from 'node:net'
import { describe, expect, test } from 'vitest'
import { ask } from '../../../test/support/http/client.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { openServer } from '../../../test/support/parts/open-server.ts'
import type { OpenServer } from '../../../test/support/parts/open-server.ts'
import { RawConnection, statusesIn } from '../../../test/support/http/raw-connection.ts'
import { silentLog } from '../../../test/support/parts/silent-log.ts'
import { ConnectionLimits } from './connection-limits.ts'
import { parseTrustedProxies } from '../requests/forwarded.ts'
import type { ConnectionLimit } from '../observer.ts'

const ping = 'GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n'

function openConnections({ server }: OpenServer, wanted: number): Promise<number> {
  return eventually(
    () => server.counts().connections,
    (open) => open === wanted,
  )
}

describe.each(['connections', 'connectionsPerAddress'] as const)('more than %s', (limit) => {
  test('are closed before anything is read, and an ended connection makes room again', async () => {
    const refused: ConnectionLimit[] = []
    await using server = await openServer({
      limits: { [limit]: 2 },
      observer: { onRequest: () => undefined, onConnectionRefused: (reason) => void refused.push(reason) },
    })
    using first = await RawConnection.open(server.url)
    using second = await RawConnection.open(server.url)
    await openConnections(server, 2)
    using third = await RawConnection.open(server.url)
    expect(await third.untilClosed()).toBe('')
    expect(refused).toEqual([limit === 'connections' ? 'total' : 'address'])

    for (const connection of [first, second]) {
      connection.write(ping)
      expect(statusesIn(await connection.until((received) => received.endsWith('{}')))).toEqual([200])
    }
    first[Symbol.dispose]()
    await openConnections(server, 1)
    expect((await ask(`${server.url}/v2/`)).status).toBe(200)
    expect(server.logged.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
  })
})

test('a declared proxy speaks for many: the limit of one address is not for it', async () => {
  await using server = await openServer({
    limits: { connectionsPerAddress: 1 },
    trustedProxies: ['127.0.0.1'],
  })
  using first = await RawConnection.open(server.url)
  using second = await RawConnection.open(server.url)
  for (const connection of [first, second]) {
    connection.write(ping)
    expect(statusesIn(await connection.until((received) => received.endsWith('{}')))).toEqual([200])
  }
})

class FakeSocket extends EventEmitter {
  destroyed = false
  readonly remoteAddress: string

  constructor(remoteAddress: string) {
    super()
    this.remoteAddress = remoteAddress
  }

  destroy(): void {
    this.destroyed = true
  }
}

test('a /64 of IPv6 counts as one address', () => {
  const limits = new ConnectionLimits({
    limits: { connections: 100, connectionsPerAddress: 2 },
    trustedProxies: parseTrustedProxies([]),
    log: silentLog,
  })
  const server = new EventEmitter()
  limits.guard(server as Server, () => undefined)
  const sockets = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map((address) => {
    const socket = new FakeSocket(address)
    server.emit('connection', socket)
    return socket
  })
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, true, false])
  sockets[0]?.emit('close')
  const next = new FakeSocket('2001:db8::4')
  server.emit('connection', next)
  expect(next.destroyed).toBe(false)
})
