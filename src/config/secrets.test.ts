import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Secret } from './secrets.ts'

describe('Secret', () => {
  const secret = new Secret('hunter2')

  test.each([
    ['JSON', JSON.stringify({ nested: { secret } })],
    ['inspect', inspect({ nested: { secret } }, { showHidden: true })],
    ['string conversion', String(secret)],
    ['its own keys', Object.entries(secret).join()],
  ])('is not printed by %s', (_, text) => {
    expect(text).not.toContain('hunter2')
  })

  test('returns its value on request', () => {
    expect(secret.reveal()).toBe('hunter2')
  })
})
