import { describe, expect, test } from 'vitest'
import { FolderSyncs } from './folder-syncs.ts'

function setUp(): { syncs: FolderSyncs; runs: PromiseWithResolvers<void>[]; paths: string[] } {
  const runs: PromiseWithResolvers<void>[] = []
  const paths: string[] = []
  const syncs = new FolderSyncs((path) => {
    const run = Promise.withResolvers<void>()
    runs.push(run)
    paths.push(path)
    return run.promise
  })
  return { syncs, runs, paths }
}

describe('FolderSyncs', () => {
  test('serves all requests made during a run with the one run after it', async () => {
    const { syncs, runs } = setUp()
    const first = syncs.sync('a')
    const others = [syncs.sync('a'), syncs.sync('a'), syncs.sync('a')]
    expect(runs).toHaveLength(1)
    runs[0]!.resolve()
    await first
    await Promise.resolve()
    expect(runs).toHaveLength(2)
    runs[1]!.resolve()
    await Promise.all(others)
    expect(runs).toHaveLength(2)
  })

  test('keeps folders apart', () => {
    const { syncs, paths } = setUp()
    void syncs.sync('a')
    void syncs.sync('b')
    expect(paths).toEqual(['a', 'b'])
  })

  test('fails all requests that waited for a failed run, and runs again for the next', async () => {
    const { syncs, runs } = setUp()
    const first = syncs.sync('a')
    const second = syncs.sync('a')
    runs[0]!.reject(new Error('broken'))
    await expect(first).rejects.toThrow('broken')
    runs[1]!.resolve()
    await second
    const third = syncs.sync('a')
    expect(runs).toHaveLength(3)
    runs[2]!.resolve()
    await third
  })
})
