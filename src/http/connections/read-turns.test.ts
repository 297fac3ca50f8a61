/**
 * Tests how many connections with costly bytes are parsed in one turn of the event loop, and which others are read in between.
 */
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
const endlessCrumbs = '1\r\nx\r\n'.repeat(8_000)

/** The turn of the event loop in which each request was parsed, by its method. */
interface Scene extends AsyncDisposable {
  readonly turns: { readonly method: string; readonly turn: number }[]
  /** Turns of the event loop so far. */
  readonly turn: number
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
    get turn() {
      return turn
    },
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

/** Sends tiny chunks until the connection ends. */
function sendWithoutEnd(client: Socket): void {
  const send = (): void => {
    while (client.writable && client.write(endlessCrumbs));
  }
  client.on('drain', send).on('error', () => undefined)
  client.write(chunked)
  send()
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
  expect([paused, other].map((socket) => socket.isPaused())).toEqual([true, true])
  await aTurn()
  expect([paused, other].map((socket) => socket.isPaused())).toEqual([true, false])
})

test('a connection is read although others of its address send tiny chunks without end', async () => {
  await using scene = await openScene()
  const clients = await Array.fromAsync({ length: 8 }, () => scene.open())
  for (const client of clients) sendWithoutEnd(client)
  while (scene.turns.length < clients.length) await aTurn()
  const other = await scene.open()
  const begun = scene.turn
  other.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  while (scene.turns.length === clients.length && scene.turn < begun + 2_000) await aTurn()
  expect(scene.turns.at(-1)?.method).toBe('GET')
})

test('a connection that spent the share of a turn goes on after a turn in which the others were read', async () => {
  const reads = new ReadTurns()
  const costly = [aSocket(), aSocket()]
  for (const socket of costly) reads.add(socket)
  const readable = (): boolean[] => costly.map((socket) => !socket.isPaused())
  const [first, second] = costly as [Socket, Socket]
  reads.spend(first, 10_000)
  // Like the reader of a body.
  first.resume()
  await aTurn()
  expect(readable()).toEqual([false, true])
  reads.spend(second, 10_000)
  await aTurn()
  expect(readable()).toEqual([false, false])
  await aTurn()
  expect(readable()).toEqual([true, false])
  await aTurn()
  expect(readable()).toEqual([true, true])
})

test('a connection without a reader stays paused after its rest', async () => {
  const reads = new ReadTurns()
  const socket = aSocket()
  reads.add(socket)
  socket.pause()
  reads.spend(socket, 10_000)
  for (let turn = 0; turn < 5; turn += 1) await aTurn()
  expect(socket.isPaused()).toBe(true)
  socket.resume()
  await aTurn()
  expect(socket.isPaused()).toBe(false)
})

test('the others are looked at once in a turn, however much is spent', () => {
  const reads = new ReadTurns()
  const [costly, other] = [aSocket(), aSocket()]
  for (const socket of [costly, other]) reads.add(socket)
  let looks = 0
  other.isPaused = () => {
    looks += 1
    return true
  }
  for (let request = 0; request < 3_000; request += 1) reads.spendRequest(costly)
  expect(looks).toBe(1)
})

/** Resolves in the next turn of the event loop, after what was scheduled for its end. */
const aTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function aSocket(): Socket {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: '192.0.2.7' })
  return socket
}
