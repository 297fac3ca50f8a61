import { describe, expect, test } from 'vitest'
import { MetadataUnavailable } from '../../errors.ts'
import { createBarrier } from './barrier.ts'

/** A disk whose syncs end when the test ends them. */
function aSlowDisk() {
  const syncs: PromiseWithResolvers<void>[] = []
  const fatal: unknown[] = []
  const barrier = createBarrier({
    fdatasync: () => {
      const sync = Promise.withResolvers<void>()
      syncs.push(sync)
      return sync.promise
    },
    onFatal: (error) => fatal.push(error),
  })
  return { barrier, syncs, fatal }
}

function outcomeOf(promise: Promise<void>) {
  const outcome = { settled: false }
  void promise.then(
    () => (outcome.settled = true),
    () => (outcome.settled = true),
  )
  return outcome
}

/** Resolves after all pending work that needs no further event. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

describe('barrier', () => {
  test('resolves when the sync that began after the call has ended', async () => {
    const { barrier, syncs } = aSlowDisk()
    const outcome = outcomeOf(barrier.wait())
    await turn()
    expect(outcome.settled).toBe(false)
    syncs[0]?.resolve()
    await turn()
    expect(outcome.settled).toBe(true)
    expect(syncs).toHaveLength(1)
  })

  test('does not count a sync that was running before the call', async () => {
    const { barrier, syncs } = aSlowDisk()
    const first = outcomeOf(barrier.wait())
    const second = outcomeOf(barrier.wait())
    syncs[0]?.resolve()
    await turn()
    expect([first.settled, second.settled]).toEqual([true, false])
    syncs[1]?.resolve()
    await turn()
    expect(second.settled).toBe(true)
  })

  test('shares one waiting sync among all callers that arrive while one runs', async () => {
    const { barrier, syncs } = aSlowDisk()
    const all = Array.from({ length: 100 }, () => outcomeOf(barrier.wait()))
    syncs[0]?.resolve()
    await turn()
    syncs[1]?.resolve()
    await turn()
    expect(all.every((outcome) => outcome.settled)).toBe(true)
    expect(syncs).toHaveLength(2)
  })

  test('runs one sync at a time', async () => {
    const { barrier, syncs } = aSlowDisk()
    void barrier.wait()
    void barrier.wait()
    await turn()
    expect(syncs).toHaveLength(1)
    syncs[0]?.resolve()
    await turn()
    const third = outcomeOf(barrier.wait())
    await turn()
    expect(syncs).toHaveLength(2)
    syncs[1]?.resolve()
    await turn()
    syncs[2]?.resolve()
    await turn()
    expect(third.settled).toBe(true)
  })

  test('starts again after a pause', async () => {
    const { barrier, syncs } = aSlowDisk()
    const first = barrier.wait()
    syncs[0]?.resolve()
    await first
    const second = barrier.wait()
    syncs[1]?.resolve()
    await expect(second).resolves.toBeUndefined()
  })

  test('rejects for ever after a failed sync, without a retry, and reports it once', async () => {
    const { barrier, syncs, fatal } = aSlowDisk()
    const fault = new Error('EIO')
    const waits = [barrier.wait(), barrier.wait(), barrier.wait()]
    syncs[0]?.reject(fault)
    const outcomes = await Promise.allSettled(waits)
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect(barrier.wait()).rejects.toBeInstanceOf(MetadataUnavailable)
    expect(syncs).toHaveLength(1)
    expect(fatal).toEqual([expect.objectContaining({ name: 'MetadataUnavailable', cause: fault })])
  })
})
