import { EventEmitter } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { listenForStop } from './stop-signals.ts'

function listen() {
  const emitter = new EventEmitter()
  const exits: (number | undefined)[] = []
  const time = { now: 1000 }
  const signals = listenForStop({
    emitter,
    clock: { now: () => time.now },
    exit: (code) => void exits.push(code),
  })
  return { emitter, exits, time, signals }
}

describe('listenForStop', () => {
  test('asks to stop on the first signal', async () => {
    const { emitter, exits, signals } = listen()
    emitter.emit('SIGTERM', 'SIGTERM')
    await expect(signals.requested).resolves.toBe('SIGTERM')
    expect(exits).toEqual([])
  })

  test('ends the process at once on a second signal', () => {
    const { emitter, exits, time } = listen()
    emitter.emit('SIGTERM', 'SIGTERM')
    time.now += 1000
    emitter.emit('SIGINT', 'SIGINT')
    expect(exits).toEqual([130])
  })

  test('treats one key press that arrives twice as one request', () => {
    const { emitter, exits, time } = listen()
    emitter.emit('SIGINT', 'SIGINT')
    time.now += 50
    emitter.emit('SIGINT', 'SIGINT')
    expect(exits).toEqual([])
  })

  test('removes its listeners', () => {
    const { emitter, signals } = listen()
    signals[Symbol.dispose]()
    expect(emitter.eventNames()).toEqual([])
  })

  test('ends a process that lingers some seconds after a stop, and only then', () => {
    vi.useFakeTimers()
    const stopped = listen()
    stopped.emitter.emit('SIGTERM', 'SIGTERM')
    vi.advanceTimersByTime(60_000)
    expect(stopped.exits).toEqual([])
    stopped.signals[Symbol.dispose]()
    vi.advanceTimersByTime(3_000)
    expect(stopped.exits).toEqual([undefined])
    const failed = listen()
    failed.signals[Symbol.dispose]()
    vi.advanceTimersByTime(60_000)
    vi.useRealTimers()
    expect(failed.exits).toEqual([])
  })
})
