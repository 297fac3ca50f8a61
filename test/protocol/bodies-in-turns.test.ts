/** Small bodies that take milliseconds to parse, whose last bytes all arrive in one turn of the event loop. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ManagementApi } from '../../src/api/api-request.ts'
import { openServer } from '../support/parts/open-server.ts'
import { RawConnection } from '../support/http/raw-connection.ts'
import { TurnCounter } from '../support/turn-counter.ts'

const clients = 60

/** Parses as the API does, and answers 400 whatever the body holds. */
const api: ManagementApi = {
  async answer({ readBody }) {
    JSON.parse(Buffer.from(await readBody(64 * 1024)).toString())
    return { status: 400, headers: [], body: undefined, endpoint: undefined, fault: undefined }
  },
  refuse: () => ({ status: 500, headers: [], body: undefined, endpoint: undefined, fault: undefined }),
}

/** Small enough to be read in one piece. */
const names = Array.from({ length: 4_000 }, (_, index) => [`k${index}`, 'v'])
const manifest = JSON.stringify({ schemaVersion: 2, layers: [], annotations: Object.fromEntries(names) })

test.each([
  ['forms', 'POST /v2/token', 'application/x-www-form-urlencoded', '&a'.repeat(32_000)],
  ['JSON', 'POST /api/v1/x', 'application/json', `[${'[],'.repeat(21_000)}0]`],
  ['manifests', 'PUT /v2/a/b/manifests/x', 'application/vnd.oci.image.manifest.v1+json', manifest],
])('%s are parsed in turns of the event loop that have time for them', async (_, target, type, body) => {
  using counter = new TurnCounter()
  const turns: number[] = []
  const observer = { onRequest: () => void turns.push(counter.turns) }
  await using server = await openServer({ api, observer })
  using stack = new DisposableStack()
  const connections = await Array.fromAsync({ length: clients }, async () =>
    stack.use(await RawConnection.open(server.url)),
  )
  const head = `${target} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`
  for (const connection of connections) connection.write(head + body.slice(0, -1))
  await pause(500)
  expect(turns).toEqual([])
  for (const connection of connections) connection.write(body.slice(-1))
  await Promise.all(
    connections.map((connection) => connection.until((text) => text.includes('HTTP/1.1 400'))),
  )
  const byTurn = Map.groupBy(turns, (turn) => turn)
  // A turn has 3 ms, in which a fast machine parses several; without turns it parses all of them.
  expect(Math.max(...byTurn.values().map((served) => served.length))).toBeLessThanOrEqual(clients / 4)
})
