import { memoryUsage } from 'node:process'
import { expect, test } from 'vitest'
import { createYoungGarbage } from './young-garbage.ts'

const mebibyte = 1024 * 1024

test('collects once per 8 MiB recorded', () => {
  const types: string[] = []
  const garbage = createYoungGarbage(({ type }) => void types.push(type))
  for (let count = 0; count < 20; count++) garbage.note(mebibyte)
  expect(types).toEqual(['minor', 'minor'])
})

test('finds the collector of V8, which frees unreferenced buffers', () => {
  const garbage = createYoungGarbage()
  const before = memoryUsage().arrayBuffers
  for (let count = 0; count < 256; count++) {
    Buffer.allocUnsafeSlow(mebibyte)
    garbage.note(mebibyte)
  }
  expect(memoryUsage().arrayBuffers - before).toBeLessThan(128 * mebibyte)
})
