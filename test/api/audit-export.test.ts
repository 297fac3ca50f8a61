/** The export of a large audit: the rows that it reads at once, the turns that it leaves to other requests, and its end. */
import { StatementSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { insertAuditEvents } from '../../src/metadata/audit/audit-events.ts'
import { eventually } from '../support/eventually.ts'
import { ask } from '../support/http/client.ts'
import { basic, passwordOf } from '../support/parts/identity-server.ts'
import { startInProcess } from '../support/parts/in-process.ts'
import type { InProcessRegistry } from '../support/parts/in-process.ts'
import { RawConnection, statusesIn } from '../support/http/raw-connection.ts'
import { tester } from '../support/parts/tester.ts'
import { TurnCounter } from '../support/turn-counter.ts'

interface Read {
  readonly turn: number
  readonly rows: number
}

let reads: Read[] = []
let counter: TurnCounter
const { prototype } = StatementSync
const all = Object.getOwnPropertyDescriptor(prototype, 'all')?.value as StatementSync['all']

/** Records each query of the audit with the turn of the event loop in which it runs. */
beforeEach(() => {
  reads = []
  counter = new TurnCounter()
  prototype.all = function (this: StatementSync, ...parameters: Parameters<typeof all>) {
    const rows = all.apply(this, parameters)
    if (/^select .* from "audit_event"/.test(this.sourceSQL))
      reads.push({ turn: counter.turns, rows: rows.length })
    return rows
  } as typeof all
})

afterEach(() => {
  counter[Symbol.dispose]()
  prototype.all = all
})

async function openWithEvents(count: number, text: string): Promise<InProcessRegistry> {
  const registry = await startInProcess()
  await registry.app.auth.accounts.add({ name: 'root', password: passwordOf('root'), isAdmin: true }, tester)
  // Recent events: a job deletes old ones.
  const start = registry.clock.now() - 60_000
  const events = Array.from({ length: count }, (_, index) => ({
    at: start + index,
    action: 'tag.move' as const,
    outcome: 'done' as const,
    actor: { id: 'user:9', name: 'mover' },
    detail: { text },
  }))
  await registry.app.metadata.transact((tx) => insertAuditEvents(tx, events))
  reads = []
  return registry
}

const headers = { authorization: basic('root') }

test('an export reads some hundred rows at a time, each page in its own turn', async () => {
  await using registry = await openWithEvents(3_000, 'x')
  const answer = await ask(`${registry.url}/api/v1/audit/export?actor=mover`, { headers })
  expect(answer.text().trim().split('\n')).toHaveLength(3_000)
  expect(Math.max(...reads.map(({ rows }) => rows))).toBeLessThanOrEqual(500)
  const perTurn = Map.groupBy(reads, (read) => read.turn)
  // The keys of a page, and its rows.
  expect(Math.max(...[...perTurn.values()].map((together) => together.length))).toBeLessThanOrEqual(2)
})

test('a search with few matching rows yields between its slices', async () => {
  await using registry = await openWithEvents(5_000, 'x')
  const answer = await ask(`${registry.url}/api/v1/audit?actor=mover&action=user.create`, { headers })
  expect(answer.json()).toEqual({ items: [] })
  expect(new Set(reads.map((read) => read.turn)).size).toBeGreaterThan(9)
})

test('HEAD of an export reads nothing', async () => {
  await using registry = await openWithEvents(1_000, 'x')
  const answer = await ask(`${registry.url}/api/v1/audit/export`, { method: 'HEAD', headers })
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toBe('application/jsonl')
  expect(answer.headers['content-length']).toBeUndefined()
  expect(reads).toEqual([])
})

test('an export waits for its reader, and ends with the connection', async () => {
  await using registry = await openWithEvents(3_000, 'x'.repeat(10_000))
  using connection = await RawConnection.open(registry.url)
  connection.pause()
  connection.write(
    `GET /api/v1/audit/export HTTP/1.1\r\nHost: registry\r\nAuthorization: ${headers.authorization}\r\n\r\n`,
  )
  await eventually(
    () => Promise.resolve(reads.length),
    (count) => count > 2,
  )
  let before = reads.length
  // On a busy machine a page can take longer than one of these pauses.
  for (let quiet = 0; quiet < 5; quiet += 1) {
    await delay(100)
    if (reads.length > before) quiet = -1
    before = reads.length
  }
  // 30 MB are far more than the buffers of a connection hold.
  expect(before).toBeLessThan(40)
  connection.reset()
  await delay(200)
  // The keys and the rows of one page.
  expect(reads.length - before).toBeLessThanOrEqual(2)
})

/** Begins an export of 30 MB and stops reading, so that most of it is still unread. */
async function beginExport(registry: InProcessRegistry, credentials: string): Promise<RawConnection> {
  const connection = await RawConnection.open(registry.url)
  connection.pause()
  connection.write(
    `GET /api/v1/audit/export HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n${credentials}\r\n\r\n`,
  )
  await eventually(
    () => Promise.resolve(reads.length),
    (count) => count > 2,
  )
  return connection
}

/** Reads until the connection closes. Returns the number of events received and whether the reply is complete. */
async function readToEnd(connection: RawConnection) {
  connection.resume()
  const text = await connection.untilClosed()
  return {
    status: statusesIn(text)[0],
    isWhole: text.endsWith('\r\n0\r\n\r\n'),
    events: text.split('"name":"mover"').length - 1,
    hasLater: text.includes('newcomer'),
  }
}

test('an export ends with the events that existed at its start', async () => {
  await using registry = await openWithEvents(3_000, 'x'.repeat(10_000))
  using connection = await beginExport(registry, `Authorization: ${headers.authorization}`)
  const actor = { id: 'user:9', name: 'newcomer' }
  const later = [60_000, -57_500].map((ms) => {
    const at = registry.clock.now() + ms
    return { at, action: 'tag.create' as const, outcome: 'done' as const, actor }
  })
  await registry.app.metadata.transact((tx) => insertAuditEvents(tx, later))
  const expected = { status: 200, isWhole: true, events: 3_000, hasLater: false }
  expect(await readToEnd(connection)).toEqual(expected)
})

test('an export is cut off when its reader is disabled, or ends the session', async () => {
  await using registry = await openWithEvents(3_000, 'x'.repeat(10_000))
  const { accounts, sessions } = registry.app.auth
  await accounts.add({ name: 'second', password: passwordOf('second'), isAdmin: true }, tester)
  const origin = { address: '127.0.0.1', client: undefined }
  const session = await sessions.login({ name: 'second', password: passwordOf('second') }, origin)
  const cookie = session.cookie({ secure: false }).split(';', 1)[0]
  const ways = [
    [`Cookie: ${cookie}`, () => sessions.end(session.id, tester)],
    [`Authorization: ${headers.authorization}`, () => accounts.disable('root', tester)],
  ] as const
  for (const [credentials, end] of ways) {
    reads = []
    using connection = await beginExport(registry, credentials)
    await end()
    const { events, ...received } = await readToEnd(connection)
    expect(received).toEqual({ status: 200, isWhole: false, hasLater: false })
    expect(events).toBeLessThan(2_000)
  }
})
