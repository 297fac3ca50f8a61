import { describe, expect, test } from 'vitest'
import { generateToken, hintOf, isWellFormed } from './token-format.ts'

describe('the form of an access token', () => {
  test.each([
    ['user', /^ladu_[0-9A-Za-z]{36}$/],
    ['robot', /^ladr_[0-9A-Za-z]{36}$/],
  ] as const)('shows that it belongs to a %s', (kind, pattern) => {
    const tokens = Array.from({ length: 100 }, () => generateToken(kind))
    expect(new Set(tokens).size).toBe(100)
    for (const token of tokens) {
      expect(token).toMatch(pattern)
      expect(isWellFormed(token)).toBe(true)
    }
  })

  test('has a checksum that others can compute', () => {
    expect(isWellFormed('ladu_0000000000000000000000000000003EBZiL')).toBe(true)
    expect(isWellFormed('ladr_0000000000000000000000000000003EBZiL')).toBe(false)
  })

  test('detects any single changed character', () => {
    const token = generateToken('user')
    for (let index = 5; index < token.length; index++) {
      const other = token[index] === 'a' ? 'b' : 'a'
      expect(isWellFormed(token.slice(0, index) + other + token.slice(index + 1))).toBe(false)
    }
  })

  test.each(['', 'ladu_', 'password', 'ladu_0000000000000000000000000000003EBZiL ', 'ladx_'.padEnd(41, '0')])(
    'does not match %j',
    (text) => {
      expect(isWellFormed(text)).toBe(false)
    },
  )

  test('shows its last four characters', () => {
    expect(hintOf('ladu_0000000000000000000000000000003EBZiL')).toBe('BZiL')
  })
})
