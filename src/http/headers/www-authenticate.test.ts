import { expect, test } from 'vitest'
import { formatChallenge, formatDescription } from './www-authenticate.ts'

test.each([
  [{ scheme: 'Basic', parameters: {} }, 'Basic'],
  [
    { scheme: 'Bearer', parameters: { realm: 'https://r.test/v2/token', scope: 'repository:a/b:pull' } },
    'Bearer realm="https://r.test/v2/token",scope="repository:a/b:pull"',
  ],
  [
    { scheme: 'Basic', parameters: { realm: 'a "b" \\ c\r\nSet-Cookie: x' } },
    'Basic realm="a \\"b\\" \\\\ c??Set-Cookie: x"',
  ],
] as const)('writes the challenge %j', (challenge, header) => {
  expect(formatChallenge(challenge)).toBe(header)
})

test.each([
  ['the token has expired: get a new one', 'the token has expired: get a new one'],
  ['"a\\b" is\r\nno name\u007f, ünïcode \u{1f600}', "'a?b' is??no name?, ?n?code ??"],
  ['x'.repeat(501), 'x'.repeat(500)],
])('describes the error %j in the characters that it may have', (text, description) => {
  expect(formatDescription(text)).toBe(description)
})
