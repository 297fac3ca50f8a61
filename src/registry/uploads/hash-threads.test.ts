import { array, assert, asyncProperty, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { digestBytes } from '../../oci/digest.ts'
import { HashThreads } from './hash-threads.ts'

/** Feeds bytes like a store: in shared memory that is overwritten as soon as allowed. */
async function feed(
  update: (bytes: Uint8Array) => void | Promise<void>,
  chunks: readonly Uint8Array[],
): Promise<void> {
  for (const chunk of chunks) {
    const buffer = new Uint8Array(new SharedArrayBuffer(chunk.byteLength))
    buffer.set(chunk)
    await update(buffer)
    buffer.fill(0xff)
  }
}

test.each(['sha256', 'sha512'] as const)(
  'hash their input by %s, in pieces of any size',
  async (algorithm) => {
    await using threads = new HashThreads()
    await assert(
      asyncProperty(array(uint8Array({ maxLength: 1000 }), { maxLength: 6 }), async (chunks) => {
        const whole = Buffer.concat(chunks)
        const hasher = threads.createHasher(algorithm)
        await feed((bytes) => hasher.update(bytes), chunks)
        const digest = digestBytes(whole, algorithm)
        const finished = { algorithm, offset: whole.length, digest, state: undefined }
        expect(await hasher.finish(whole.length)).toEqual(finished)
      }),
      { numRuns: 50 },
    )
  },
)

test('hash many uploads at a time, each separately', async () => {
  await using threads = new HashThreads()
  const uploads = Array.from({ length: 20 }, (_, index) => {
    const chunks = [70_000, 10, 600_000].map((size) => Buffer.alloc(size, index + size))
    return { chunks, hasher: threads.createHasher('sha256') }
  })
  const digests = await Promise.all(
    uploads.map(async ({ chunks, hasher }) => {
      await feed((bytes) => hasher.update(bytes), chunks)
      return (await hasher.finish(670_010)).digest
    }),
  )
  expect(digests).toEqual(uploads.map(({ chunks }) => digestBytes(Buffer.concat(chunks))))
})

test('continue after an abandoned upload', async () => {
  await using threads = new HashThreads()
  const given = threads.createHasher('sha256')
  await feed((bytes) => given.update(bytes), [Buffer.alloc(100_000), Buffer.alloc(100_000)])
  given.abandon()
  const next = threads.createHasher('sha256')
  await feed((bytes) => next.update(bytes), [Buffer.alloc(100_000, 1)])
  expect((await next.finish(100_000)).digest).toBe(digestBytes(Buffer.alloc(100_000, 1)))
})

test('fail the uploads whose thread ended, and start another for the next', async () => {
  await using threads = new HashThreads()
  const hasher = threads.createHasher('sha256')
  await feed((bytes) => hasher.update(bytes), [Buffer.alloc(100_000)])
  await threads[Symbol.asyncDispose]()
  await expect(hasher.finish(100_000)).rejects.toThrow('a hashing thread ended')
  const next = threads.createHasher('sha256')
  await feed((bytes) => next.update(bytes), [Buffer.alloc(100_000)])
  expect((await next.finish(100_000)).digest).toBe(digestBytes(Buffer.alloc(100_000)))
})
