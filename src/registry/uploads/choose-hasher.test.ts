import { describe, expect, test } from 'vitest'
import { chooseHasher } from './choose-hasher.ts'
import { HashThreads } from './hash-threads.ts'

describe('the choice of a hasher', () => {
  const base = { saved: undefined, offset: 0, wanted: undefined, chunked: false, length: undefined }
  const threads = new HashThreads()
  const bytes = Buffer.from('first')

  test('is sha256 unless the session or the commit names another', async () => {
    const sha512 = { algorithm: 'sha512', offset: 0, digest: undefined, state: undefined } as const
    expect((await chooseHasher(base, threads))?.algorithm).toBe('sha256')
    expect((await chooseHasher({ ...base, saved: sha512 }, threads))?.algorithm).toBe('sha512')
    expect((await chooseHasher({ ...base, wanted: 'sha512' }, threads))?.algorithm).toBe('sha512')
  })

  test('resumes a saved state at its own offset only', async () => {
    const first = await chooseHasher({ ...base, chunked: true }, threads)
    await first?.update(bytes)
    const saved = await first?.finish(bytes.length)
    expect(await chooseHasher({ ...base, saved, offset: bytes.length }, threads)).toBeDefined()
    expect(await chooseHasher({ ...base, saved, offset: bytes.length + 1 }, threads)).toBeUndefined()
    expect(
      await chooseHasher({ ...base, saved, offset: bytes.length, wanted: 'sha512' }, threads),
    ).toBeUndefined()
  })

  test('hashes large bodies, and bodies of unknown length, in the buffers of the store', async () => {
    const takes = async (length: number | undefined): Promise<string | undefined> =>
      (await chooseHasher({ ...base, length }, threads))?.takes
    expect(await takes(1024)).toBe('pieces')
    expect(await takes(4 * 1024 * 1024)).toBe('stored bytes')
    expect(await takes(undefined)).toBe('stored bytes')
  })
})
