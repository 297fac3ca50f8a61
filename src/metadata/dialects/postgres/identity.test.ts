/** Tests connections that lead to the database of another registry; `app/contract/` tests them on a real server. */
import { expect, test } from 'vitest'
import { PostgresIdentity } from './identity.ts'

test('sends no query before the installation is known', async () => {
  const identity = new PostgresIdentity()
  await expect(
    identity.check(() => {
      throw new Error('asked')
    }),
  ).resolves.toBeUndefined()
})

test.each([
  ['b', 'the database of installation b'],
  [undefined, 'an empty database'],
])('accepts only its own installation, not %s', async (other, message) => {
  const identity = new PostgresIdentity()
  identity.expect('a')
  await expect(identity.check(() => Promise.resolve('a'))).resolves.toBeUndefined()
  await expect(identity.check(() => Promise.resolve(other))).rejects.toThrow(message)
})
