/** How many connections with costly bytes are parsed in one turn of the event loop, and who is read meanwhile. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { joinedIncomingFor } from './joined-incoming.ts'
import { ReadTurns } from './read-turns.ts'

const chunked = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
const crumbs = `${chunked}${'1\r\nx\r\n'.repeat(8_000)}0\r\n\r\n`

/** In which turn of the event loop each request was parsed, by its method. */
interface Scene extends AsyncDisposable {
  readonly turns: { readonly method: string; readonly turn: number }[]
  /** Resolves when the server has accepted the connection. */
  open(): Promise<Socket>
}

async function openScene(): Promise<Scene> {
  const reads = new ReadTurns()
  const turns: { method: string; turn: number }[] = []
  let turn = 0
  let isOver = false
  const count = (): void => {
    turn += 1
    if (!isOver) setImmediate(count)
  }
  count()
  const server = createServer({ IncomingMessage: joinedIncomingFor(reads) })
  const [accept] = server.listeners('connection') as [(socket: Socket) => void]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    reads.add(socket)
    accept.call(server, socket)
  })
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    turns.push({ method: incoming.method ?? '', turn })
    incoming.resume().on('end', () => response.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const clients: Socket[] = []
  return {
    turns,
    open: async () => {
      const accepted = once(server, 'connection')
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
      clients.push(client)
      await Promise.all([accepted, once(client, 'connect')])
      return client
    },
    async [Symbol.asyncDispose]() {
      isOver = true
      for (const client of clients) client.destroy()
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const untilAnswered = (clients: Socket[]): Promise<unknown> =>
  Promise.all(clients.map((client) => once(client, 'data')))

function mostInOneTurn({ turns }: Scene): number {
  const byTurn = Map.groupBy(turns, ({ turn }) => turn)
  return Math.max(...byTurn.values().map((requests) => requests.length))
}

test('of twenty connections with thousands of tiny chunks one is parsed in a turn, and all are answered', async () => {
  await using scene = await openScene()
  const clients = await Array.fromAsync({ length: 20 }, () => scene.open())
  for (const client of clients) client.write(crumbs)
  await untilAnswered(clients)
  expect(scene.turns).toHaveLength(20)
  expect(mostInOneTurn(scene)).toBe(1)
})

test('connections whose bytes cost little are parsed together', async () => {
  await using scene = await openScene()
  const clients = await Array.fromAsync({ length: 20 }, () => scene.open())
  for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await untilAnswered(clients)
  expect(mostInOneTurn(scene)).toBeGreaterThan(1)
})

test('a connection that was paused for another reason stays paused', async () => {
  const reads = new ReadTurns()
  const [costly, paused, other] = [aSocket(), aSocket(), aSocket()]
  for (const socket of [costly, paused, other]) reads.add(socket)
  paused.pause()
  reads.spend(costly, 10_000)
  expect([costly, paused, other].map((socket) => socket.isPaused())).toEqual([false, true, true])
  await new Promise((resolve) => setImmediate(resolve))
  expect([costly, paused, other].map((socket) => socket.isPaused())).toEqual([false, true, false])
})

function aSocket(): Socket {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: '192.0.2.7' })
  return socket
}
