import { expect, test } from 'vitest'
import { createRowReader } from './row-reader.ts'

test('reads the columns of a row in camel case, nulls as undefined, and no other column', () => {
  const read = createRowReader(['id', 'created_at', 'last_used_at'])
  const row = { id: 1, created_at: 0, last_used_at: null, token_hash: 'secret' }
  expect(read(row)).toStrictEqual({ id: 1, createdAt: 0, lastUsedAt: undefined })
})
