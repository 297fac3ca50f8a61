import { describe, expect, test } from 'vitest'
import { openAuth, openAuthWithUsers, origin } from '../../../test/support/parts/open-auth.ts'
import { insertOrganization } from '../../metadata/owners/owners.ts'

const eve = { name: 'eve', password: 'a password of some length' }

describe('registration', () => {
  test('is off unless the configuration says so', async () => {
    await using open = await openAuth()
    const attempt = open.auth.accounts.register(eve, origin)
    await expect(attempt).rejects.toMatchObject({ name: 'RegistrationOffError' })
    expect(await open.auth.accounts.find('eve')).toBeUndefined()
  })

  test('makes users, not administrators, and is in the audit with the address', async () => {
    await using open = await openAuth({ selfRegistration: true })
    await open.auth.accounts.register(eve, origin)
    expect(await open.auth.accounts.find('eve')).toMatchObject({ isAdmin: false, kind: 'user' })
    expect(await open.audit.search({ filter: {}, limit: 1 })).toMatchObject([
      { action: 'user.create', actor: { id: 'anonymous', address: origin.address } },
    ])
  })

  test("takes nobody's name, and slows down who tries", async () => {
    await using open = await openAuthWithUsers({ selfRegistration: true })
    await open.metadata.transact((tx) =>
      insertOrganization(tx, { name: 'acme', visibility: 'public', now: 1 }),
    )
    const register = (name: string) => open.auth.accounts.register({ ...eve, name }, origin)
    await expect(register('acme')).rejects.toMatchObject({ name: 'AccountExistsError' })
    for (let tries = 0; tries < 4; tries += 1) {
      await expect(register('bob')).rejects.toMatchObject({ name: 'AccountExistsError' })
    }
    expect(Math.max(...open.delays)).toBeGreaterThan(0)
  })

  test('follows the rules of names and passwords', async () => {
    await using open = await openAuth({ selfRegistration: true })
    for (const change of [{ name: 'api' }, { name: 'Eve' }, { password: 'short' }]) {
      await expect(open.auth.accounts.register({ ...eve, ...change }, origin)).rejects.toThrow(
        /reserved|lower case|8 characters/,
      )
    }
  })
})
