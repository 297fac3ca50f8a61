import { describe, expect, test } from 'vitest'
import { findOwnerFault } from './owner-name.ts'

describe('the name of an owner', () => {
  test.each(['a', 'acme', 'my-team', 'x.y_z__1', 'a'.repeat(100)])('may be %s', (name) => {
    expect(findOwnerFault(name)).toBeUndefined()
  })

  test.each(['api', 'v2', 'assets', 'healthz', 'readyz', 'metrics', '-'])(
    'is not %s, with a reason',
    (name) => {
      expect(findOwnerFault(name)).toContain('is reserved for paths of this server')
    },
  )

  test.each([
    ['', 'empty component'],
    ['acme/web', 'slash'],
    ['Acme', 'upper-case'],
    ['acme+ci', 'may hold'],
    ['a'.repeat(101), 'more than 100 characters'],
  ])('is not %j', (name, reason) => {
    expect(findOwnerFault(name)).toContain(reason)
  })
})
