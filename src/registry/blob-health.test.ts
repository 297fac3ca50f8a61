/** Tests how often the bytes of a row are checked. */
import { expect, test } from 'vitest'
import { aRandomBlob } from '../../test/support/content/random.ts'
import { MemoryBlobStore } from '../blob-store/memory/memory-blob-store.ts'
import { systemClock } from '../lib/clock.ts'
import { parseDigest } from '../oci/digest.ts'
import { BlobHealth } from './blob-health.ts'

test('concurrent requests for one blob share a check, and the next one checks again', async () => {
  let looks = 0
  class CountingStore extends MemoryBlobStore {
    override async stat(): Promise<number | undefined> {
      looks += 1
      await new Promise((resolve) => setImmediate(resolve))
      return looks === 1 ? 10 : undefined
    }
  }
  const damage: unknown[] = []
  const health = new BlobHealth({
    store: new CountingStore({ clock: systemClock, maxBytes: 1024 }),
    monotonic: { now: () => 0 },
    onDamage: (found) => void damage.push(found),
  })
  const location = { digest: parseDigest(aRandomBlob(10).digest), storageKey: 'k', size: 10 }
  const inspect = () => health.inspect(() => Promise.resolve(location))
  const together = await Promise.all([inspect(), inspect(), inspect()])
  expect(together.map((found) => found?.isIntact)).toEqual([true, true, true])
  expect(looks).toBe(1)
  expect(await inspect()).toMatchObject({ isIntact: false })
  expect(damage).toHaveLength(1)
})
