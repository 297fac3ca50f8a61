import { expect, test } from 'vitest'
import type { AccountPrincipal } from '../identity/principal.ts'
import { anonymous } from '../identity/principal.ts'
import { partyOf } from './party.ts'

const account = (kind: AccountPrincipal['kind'], name: string, accountId: number): AccountPrincipal => ({
  kind,
  name,
  accountId,
  isAdmin: false,
  scopes: undefined,
})

test('the robots of an owner are one party, and each user is another', () => {
  const [ci, cd] = [account('robot', 'acme+ci', 1), account('robot', 'acme+cd', 2)]

  expect(partyOf(ci, '10.0.0.1')).toBe(partyOf(cd, '10.0.0.2'))
  expect(partyOf(ci)).not.toBe(partyOf(account('robot', 'other+ci', 3)))
  expect(partyOf(account('user', 'acme', 4))).not.toBe(partyOf(ci))
})

test('clients without an account are parties by address, before authentication too', () => {
  expect(partyOf(anonymous, '10.0.0.1')).toBe('10.0.0.1')
  expect(partyOf(undefined, '2001:db8::1')).toBe(partyOf(anonymous, '2001:db8::2'))
  expect(partyOf(anonymous, '10.0.0.1')).not.toBe(partyOf(anonymous, '10.0.0.2'))
})
