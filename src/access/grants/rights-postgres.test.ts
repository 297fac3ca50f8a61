/** Tests rights with a database that does not answer at once: a process sees its own change in its next request. */
import { expect, test } from 'vitest'
import { basic, openAuthWithUsers, origin } from '../../../test/support/parts/open-auth.ts'
import { tester } from '../../../test/support/parts/tester.ts'
import { openPgliteMetadata } from '../../metadata/contract/open-pglite.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'

test('a grant that was added or removed counts in this process at once', async () => {
  await using opened = await openAuthWithUsers({ metadata: await openPgliteMetadata() })
  const { auth } = opened
  const password = 'a password of some length'
  await auth.accounts.add({ name: 'carol', password, isAdmin: false }, tester)
  const repository = parseRepositoryName('bob/web')
  const mayPush = async (): Promise<boolean> => {
    const principal = await auth.authenticator.authenticate(basic('carol', password), origin)
    return (await auth.policy.decide(principal, 'push', repository)).allowed
  }
  expect(await mayPush()).toBe(false)
  for (let round = 0; round < 3; round++) {
    const { id } = await auth.grants.add(
      { owner: 'bob', repositories: 'web', role: 'writer', to: 'carol' },
      tester,
    )
    expect(await mayPush()).toBe(true)
    await auth.grants.remove(id, tester)
    expect(await mayPush()).toBe(false)
  }
})
