import { expect, test } from 'vitest'
import { openAuth, origin } from '../../../test/support/parts/open-auth.ts'
import type { LoginOutcome } from '../../metadata/audit/audit-actions.ts'
import { createLogins } from './logins.ts'

const bob = { kind: 'user', id: 7, name: 'bob' } as const

test('the account is the actor of a login only if the login succeeds', async () => {
  await using open = await openAuth()
  const logins = createLogins(open)
  for (const outcome of ['granted', 'wrong-password', 'disabled'] as const)
    logins.record({ account: bob, credential: 'password', outcome }, origin)
  await open.audit.flush()
  const target = { kind: 'user', name: 'bob' }
  expect(await open.audit.search({ filter: {}, limit: 10 })).toMatchObject([
    { outcome: 'disabled', actor: { id: 'anonymous', name: '' }, target },
    { outcome: 'wrong-password', actor: { id: 'anonymous', name: '' }, target },
    { outcome: 'granted', actor: { id: 'user:7', name: 'bob' }, target },
  ])
})

test('A4: one refusal per minute and address is audited, and all are counted', async () => {
  const counted: LoginOutcome[] = []
  await using open = await openAuth()
  const logins = createLogins({ ...open, onLogin: (outcome) => void counted.push(outcome) })
  const refused = { account: undefined, credential: 'password', outcome: 'throttled' } as const
  for (let count = 0; count < 30; count += 1) {
    logins.record(refused, origin)
    logins.record(refused, { ...origin, address: '192.0.2.77' })
  }
  await open.audit.flush()
  expect(await open.audit.search({ filter: {}, limit: 10 })).toHaveLength(2)
  expect(counted).toHaveLength(60)
})
