import { afterEach, describe, expect, test, vi } from 'vitest'
import { LogQueue, type LogSink } from './log-queue.ts'

afterEach(() => void vi.useRealTimers())

/** Accepts `room` bytes; then every write fails with the code. */
function aSink(code = 'ENOSPC') {
  const state = { room: Number.POSITIVE_INFINITY, text: '' }
  const sink = {
    writeSync(bytes: Uint8Array): number {
      if (state.room === 0) throw Object.assign(new Error(code), { code })
      const taken = bytes.subarray(0, state.room)
      state.text += Buffer.from(taken).toString()
      state.room -= taken.length
      return taken.length
    },
  }
  return { state, sink, lines: () => state.text.split('\n').slice(0, -1) }
}

function openQueue(sink: LogSink, maxQueuedChars = 100) {
  const time = { now: 0 }
  // Waiting on this thread returns at once.
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    time.now += 5
    return 'timed-out'
  })
  return new LogQueue({ sink, maxQueuedChars, monotonic: () => time.now })
}

const line = (index: number): string => `line ${String(index).padStart(4, '0')}\n`

function fill(queue: LogQueue, count: number, from = 0): void {
  for (let index = from; index < from + count; index++) queue.write(line(index))
}

describe('the queue of the log', () => {
  test('writes the lines of one turn in one go, in their order', async () => {
    const { sink, lines } = aSink()
    const write = vi.spyOn(sink, 'writeSync')
    const queue = openQueue(sink)
    fill(queue, 5)
    await queue.flush(1_000)
    expect(lines()).toEqual([0, 1, 2, 3, 4].map((index) => line(index).trimEnd()))
    expect(write).toHaveBeenCalledTimes(1)
  })

  test.each(['ENOSPC', 'EPIPE', 'EAGAIN'])('drops and counts what does not fit while it meets %s', (code) => {
    const { state, sink } = aSink(code)
    const queue = openQueue(sink)
    state.room = 0
    fill(queue, 1_000)
    queue.flushSync()
    fill(queue, 1_000)
    expect(queue.waiting).toBe(10)
    expect(queue.dropped).toBe(1_990)
    expect(queue.failure).toBe(code)
  })

  test('writes the number of missing lines in place of the gap, once it can write again', async () => {
    const { state, sink, lines } = aSink()
    const queue = openQueue(sink)
    state.room = 0
    fill(queue, 25)
    state.room = Number.POSITIVE_INFINITY
    await queue.flush(1_000)
    fill(queue, 1, 25)
    await queue.flush(1_000)
    expect(lines().slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, index) => line(index).trimEnd()))
    expect(JSON.parse(lines()[10] ?? '')).toMatchObject({
      level: 'warn',
      msg: 'log lines dropped',
      count: 15,
    })
    expect(lines().slice(11)).toEqual([line(25).trimEnd()])
    expect(queue.dropped).toBe(15)
  })

  test('ends a line that a full disk has torn', async () => {
    const { state, sink, lines } = aSink()
    const queue = openQueue(sink)
    state.room = 13
    fill(queue, 3)
    await queue.flush(1_000)
    expect(state.text).toHaveLength(13)
    state.room = Number.POSITIVE_INFINITY
    await queue.flush(1_000)
    expect(lines()).toEqual([0, 1, 2].map((index) => line(index).trimEnd()))
  })

  test('treats a destination that accepts no byte as full', () => {
    const queue = openQueue({ writeSync: () => 0 })
    fill(queue, 1)
    queue.flushSync()
    expect([queue.failure, queue.waiting]).toEqual(['EAGAIN', 1])
  })

  test('tries again by itself', async () => {
    vi.useFakeTimers()
    const { state, sink, lines } = aSink()
    const queue = openQueue(sink)
    state.room = 0
    fill(queue, 1)
    await vi.advanceTimersByTimeAsync(10)
    state.room = Number.POSITIVE_INFINITY
    await vi.advanceTimersByTimeAsync(1_000)
    vi.useRealTimers()
    expect(lines()).toEqual([line(0).trimEnd()])
  })

  test('at the end of the process leaves a write in progress to its thread and writes the rest', async () => {
    const { sink, lines } = aSink()
    const started = Promise.withResolvers<void>()
    const write = vi.fn<(bytes: Uint8Array) => Promise<number>>(() => {
      started.resolve()
      return new Promise<number>(() => undefined)
    })
    const queue = openQueue({ ...sink, write })
    fill(queue, 1)
    await started.promise
    fill(queue, 2, 1)
    queue.flushSync()
    expect(lines()).toEqual([1, 2].map((index) => line(index).trimEnd()))
    expect(queue.waiting).toBe(0)
  })

  test('at the end of the process waits a little for a stalled reader, then stops', () => {
    const { state, sink } = aSink('EAGAIN')
    const queue = openQueue(sink)
    state.room = 0
    fill(queue, 1)
    queue.flushSync()
    expect(Atomics.wait).toHaveBeenCalledTimes(40)
    expect(queue.waiting).toBe(1)
  })
})
