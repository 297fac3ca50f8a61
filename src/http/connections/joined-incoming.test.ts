import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Socket, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { joinedIncomingFor } from './joined-incoming.ts'

const JoinedIncoming = joinedIncomingFor({ spend: () => undefined })
const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'

/** Returns the request that a server parses from `wire`, and its connection. */
async function receive(
  wire: string,
): Promise<{ incoming: IncomingMessage; client: Socket } & AsyncDisposable> {
  const server = createServer({ IncomingMessage: JoinedIncoming })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.write(wire)
  const [incoming] = (await once(server, 'request')) as [IncomingMessage]
  return {
    incoming,
    client,
    async [Symbol.asyncDispose]() {
      client.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('hands the chunks of one byte that come together on in a few pieces', async () => {
  const text = Array.from({ length: 30_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
  await using received = await receive(`${head}${text.replaceAll(/./g, '1\r\n$&\r\n')}0\r\n\r\n`)
  const pieces = await Array.fromAsync(received.incoming)
  expect(Buffer.concat(pieces as Buffer[]).toString()).toBe(text)
  // One for each turn in which the kernel delivers bytes, not one for each chunk.
  expect(pieces.length).toBeLessThan(300)
})

test('hands on what came before the connection broke', async () => {
  await using received = await receive(`${head}${'1\r\nx\r\n'.repeat(2_000)}`)
  const { incoming, client } = received
  const pieces: Buffer[] = []
  const closed = new Promise((resolve) => incoming.on('close', resolve))
  incoming.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => undefined)
  await once(incoming, 'data')
  client.destroy()
  await closed
  expect(Buffer.concat(pieces).toString()).toBe('x'.repeat(2_000))
})

test('asks for a rest after many small pieces, and not after a few', () => {
  const incoming = new JoinedIncoming(new Socket())
  const answers = Array.from({ length: 1_100 }, () => incoming.push(Buffer.from('x')))
  expect(answers.slice(0, 1_000)).not.toContain(false)
  expect(answers.slice(1_024)).not.toContain(true)
  incoming.push(null)
  expect(incoming.readableLength).toBe(1_100)
})
