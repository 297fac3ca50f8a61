import { describe, expect, test } from 'vitest'
import { parseCredentials } from './credentials.ts'

function basicOf(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`
}

describe('parseCredentials', () => {
  test.each([
    [basicOf('bob:secret'), { kind: 'password', name: 'bob', password: 'secret' }],
    [basicOf('bob:se:cr:et'), { kind: 'password', name: 'bob', password: 'se:cr:et' }],
    [basicOf('bob:'), { kind: 'password', name: 'bob', password: '' }],
    [basicOf('bob:pässword'), { kind: 'password', name: 'bob', password: 'pässword' }],
    ['bAsIc Ym9iOng=', { kind: 'password', name: 'bob', password: 'x' }],
    ['Basic Og==', { kind: 'anonymous' }],
    ['Bearer abc.def-_.ghi', { kind: 'token', token: 'abc.def-_.ghi' }],
    ['bearer  abc', { kind: 'token', token: 'abc' }],
  ])('reads %j', (header, expected) => {
    expect(parseCredentials(header)).toEqual(expected)
  })

  test.each([
    '',
    'Basic',
    'Basic ',
    'Bearer',
    'Digest username="bob"',
    'Ym9iOng=',
    'Basic Ym9i',
    'Basic Ym9iOng=, Bearer abc',
    'Bearer a b',
    'Basic !!!!',
    `Basic ${Buffer.from([0x62, 0x3a, 0xff, 0xfe]).toString('base64')}`,
  ])('refuses %j without repeating it', (header) => {
    expect(() => parseCredentials(header)).toThrow(
      expect.objectContaining({ code: 'UNAUTHORIZED', message: expect.stringMatching(/^the Authorization/) }),
    )
  })
})
