import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { basic, openAuth, origin } from './support/parts/open-auth.ts'

describe('G2: the first administrator', () => {
  test('has a different password in every installation, in a file that no other user can read', async () => {
    await using one = await openAuth()
    await using other = await openAuth()
    const passwords: string[] = []
    for (const { auth, folder } of [one, other]) {
      const made = await auth.accounts.ensureFirstAdministrator({ name: 'admin' })
      const file = join(folder, 'admin-password')
      expect(readFileSync(file, 'utf8')).toBe(`${made?.generated?.password}\n`)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      passwords.push(made?.generated?.password ?? '')
    }
    expect(passwords[0]).toMatch(/^[a-z2-9]{4}(-[a-z2-9]{4}){4}$/)
    expect(passwords[0]).not.toBe(passwords[1])
  })

  test.each(['', 'admin', 'password', 'changeme', 'lading', 'Harbor12345'])(
    'cannot log in with the password %j',
    async (password) => {
      await using opened = await openAuth()
      await opened.auth.accounts.ensureFirstAdministrator({ name: 'admin' })
      const attempt = Promise.resolve(
        opened.auth.authenticator.authenticate(basic('admin', password), origin),
      )
      await expect(attempt).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    },
  )
})
