/** Content of any size that needs no memory and never repeats: one random block whose first bytes hold a counter. */
import { createHash } from 'node:crypto'

import { createRandom } from './seeded-random.ts'

export interface GeneratedContent {
  readonly size: number
  readonly digest: string
  /** Yields the bytes from `start` up to, but not including, `end`, in new buffers of at most 1 MiB. */
  read(start?: number, end?: number): Generator<Buffer>
}

const blockBytes = 1024 * 1024

export function generateContent(size: number, seed: number): GeneratedContent {
  const block = createRandom(seed).bytes(blockBytes)
  const read = function* (start = 0, end = size): Generator<Buffer> {
    for (let offset = start; offset < end;) {
      const index = Math.floor(offset / blockBytes)
      const bytes = Buffer.from(block)
      bytes.writeBigUInt64LE(BigInt(index))
      const from = offset - index * blockBytes
      const to = Math.min(blockBytes, end - index * blockBytes)
      yield bytes.subarray(from, to)
      offset += to - from
    }
  }
  const hash = createHash('sha256')
  for (const bytes of read()) hash.update(bytes)
  return { size, digest: `sha256:${hash.digest('hex')}`, read }
}
