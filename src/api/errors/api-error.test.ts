import { expect, test } from 'vitest'
import { invalid } from './api-error.ts'

test('names the first twenty faults and counts the rest', () => {
  const faults = Array.from({ length: 10_000 }, (_, index) => ({ field: `body.f${index}`, message: 'no' }))
  const { fields, message } = invalid(faults)
  expect(fields).toEqual(faults.slice(0, 20))
  expect(message.endsWith('body.f19: no; and 9980 more')).toBe(true)
})
