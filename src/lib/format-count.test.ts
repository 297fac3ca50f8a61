import { expect, test } from 'vitest'
import { formatCount } from './format-count.ts'

test('uses the singular only for one', () => {
  expect([0, 1, 2].map((count) => formatCount(count, 'blob'))).toEqual(['0 blobs', '1 blob', '2 blobs'])
  expect(formatCount(1, 'repository', 'repositories')).toBe('1 repository')
  expect(formatCount(2, 'repository', 'repositories')).toBe('2 repositories')
})
