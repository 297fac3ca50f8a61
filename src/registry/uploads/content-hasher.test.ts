import { array, assert, asyncProperty, uint8Array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestBytes } from '../../oci/digest.ts'
import { createNativeHasher, createResumableHasher } from './content-hasher.ts'

const algorithms = ['sha256', 'sha512'] as const

describe.each(algorithms)('a %s hasher', (algorithm) => {
  test('agrees with the digest of the whole when its state is saved between chunks', async () => {
    await assert(
      asyncProperty(array(uint8Array({ maxLength: 300 }), { maxLength: 6 }), async (chunks) => {
        let state: Uint8Array | undefined
        let offset = 0
        for (const chunk of chunks) {
          const hasher = await createResumableHasher(algorithm, state)
          await hasher?.update(chunk)
          offset += chunk.length
          state = (await hasher?.finish(offset))?.state
        }
        const last = await createResumableHasher(algorithm, state)
        expect((await last?.finish(offset))?.digest).toBe(digestBytes(Buffer.concat(chunks), algorithm))
      }),
      { numRuns: 30 },
    )
  })

  test('is native for a stream and gives the same digest', async () => {
    const hasher = createNativeHasher(algorithm)
    await hasher.update(Buffer.from('lading'))
    expect(hasher.finish(6)).toEqual({
      algorithm,
      offset: 6,
      digest: digestBytes(Buffer.from('lading'), algorithm),
      state: undefined,
    })
  })
})

test('F8: refuses a state that no hasher of this version saved', async () => {
  expect(await createResumableHasher('sha256', new Uint8Array(120))).toBeUndefined()
  expect(await createResumableHasher('sha256', new Uint8Array(1))).toBeUndefined()
})
