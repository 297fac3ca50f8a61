import { expect, test } from 'vitest'
import { bobsPassword, openAuthWithUsers, origin } from '../../test/support/parts/open-auth.ts'
import { tester } from '../../test/support/parts/tester.ts'
import { kyselyOf } from '../metadata/sql/database.ts'
import { forgetEnded } from './forget-ended.ts'

const dayMs = 24 * 60 * 60_000
const { signal } = new AbortController()

test('removes sessions with their end, and access tokens 90 days after theirs', async () => {
  await using open = await openAuthWithUsers()
  const { accounts, accessTokens, sessions } = open.auth
  const { id: accountId } = (await accounts.find('bob'))!
  const expiresAt = open.clock.now() + dayMs
  const kept = await accessTokens.create(accountId, { name: 'kept' }, tester)
  await accessTokens.create(accountId, { name: 'expired', expiresAt }, tester)
  const { token } = await accessTokens.create(accountId, { name: 'revoked' }, tester)
  await accessTokens.revoke(token.id, tester)
  await sessions.login({ name: 'bob', password: bobsPassword }, origin)
  const forget = () => forgetEnded(open, { sessionIdleMs: dayMs }, signal)
  expect(await forget()).toBe(0)
  open.clock.advance(dayMs)
  expect(await forget()).toBe(1)
  expect(await kyselyOf(open.metadata.reader).selectFrom('browser_session').select('id').execute()).toEqual(
    [],
  )
  open.clock.advance(89 * dayMs + 1)
  expect(await forget()).toBe(1)
  open.clock.advance(dayMs)
  expect(await forget()).toBe(1)
  expect(await accessTokens.list({ accountId, limit: 9 })).toMatchObject([{ id: kept.token.id }])
})
