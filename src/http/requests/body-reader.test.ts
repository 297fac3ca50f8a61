import type { IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BodyReader } from './body-reader.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test('a body that is here to its end and read in part only keeps no timer, and so not the process', async () => {
  const stream = new PassThrough()
  const incoming = Object.assign(stream, { headers: { 'transfer-encoding': 'chunked' } })
  const reader = new BodyReader(incoming as unknown as IncomingMessage, { idleMs: 60_000 })
  const iterator = reader[Symbol.asyncIterator]()
  const first = iterator.next()
  expect(vi.getTimerCount()).toBe(1)
  stream.write('first ')
  expect(await first).toMatchObject({ value: Buffer.from('first ') })
  stream.end('second')
  await once(stream, 'close')
  expect(vi.getTimerCount()).toBe(0)
  expect(await iterator.next()).toMatchObject({ value: Buffer.from('second') })
  expect(await iterator.next()).toMatchObject({ done: true })
})

test('joins small pieces that arrive while no read is waiting', async () => {
  const stream = new PassThrough()
  const incoming = Object.assign(stream, { headers: { 'transfer-encoding': 'chunked' } })
  const reader = new BodyReader(incoming as unknown as IncomingMessage, { idleMs: 60_000 })
  const iterator = reader[Symbol.asyncIterator]()
  const first = iterator.next()
  for (let i = 0; i < 5_000; i++) stream.write('x')
  expect(await first).toMatchObject({ value: Buffer.from('x') })
  await new Promise(setImmediate)
  expect((await iterator.next()).value).toHaveLength(4_999)
})
