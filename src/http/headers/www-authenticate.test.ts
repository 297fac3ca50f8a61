import { expect, test } from 'vitest'
import { formatChallenge } from './www-authenticate.ts'

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
