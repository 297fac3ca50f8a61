import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type OpenAuth,
  basic,
  bobsPassword,
  openAuth,
  openAuthWithUsers,
  origin,
} from '../../../test/support/parts/open-auth.ts'
import { findOwner } from '../../metadata/owners/owners.ts'
import { ensureRepository } from '../../metadata/repositories/repositories.ts'
import { parseRepositoryName } from '../../oci/repository-name.ts'
import { createPasswordHasher } from '../passwords/password-hash.ts'
import { tester } from '../../../test/support/parts/tester.ts'

const user = { name: 'bob', password: bobsPassword, isAdmin: false }

describe('accounts', () => {
  test('are added, listed and found, without their hashes', async () => {
    await using open = await openAuthWithUsers()
    const { accounts } = open.auth
    const listed = await accounts.list({ limit: 10 })
    expect(listed).toMatchObject([
      { name: 'bob', isAdmin: false, disabled: false },
      { name: 'root', isAdmin: true, disabled: false },
    ])
    expect(await accounts.list({ after: 'bob', limit: 10 })).toHaveLength(1)
    expect(await accounts.find('bob')).toEqual(listed[0])
    expect(await accounts.find('nobody')).toBeUndefined()
    expect(JSON.stringify(listed)).not.toContain('argon2')
    expect(await findOwner(open.metadata.reader, 'bob')).toMatchObject({ kind: 'user', visibility: 'public' })
  })

  test.each(['', 'Bob', 'bob smith', 'a/b', 'v2', 'api', '-bob', 'x'.repeat(101), 'bob\n'])(
    'are not named %j',
    async (name) => {
      await using open = await openAuth()
      await expect(open.auth.accounts.add({ ...user, name }, tester)).rejects.toMatchObject({
        name: 'AccountNameError',
      })
    },
  )

  test.each(['', 'short12', 'bob', 'x'.repeat(1025)])('have no password like %j', async (password) => {
    await using open = await openAuthWithUsers()
    const refused = expect.objectContaining({ name: 'PasswordRefusedError' })
    await expect(open.auth.accounts.add({ ...user, name: 'eve', password }, tester)).rejects.toEqual(refused)
    await expect(open.auth.accounts.setPassword('bob', password, tester)).rejects.toEqual(refused)
  })

  test('do not accept their name as the password', async () => {
    await using open = await openAuth()
    const attempt = open.auth.accounts.add(
      { name: 'longname1', password: 'LongName1', isAdmin: false },
      tester,
    )
    await expect(attempt).rejects.toMatchObject({ name: 'PasswordRefusedError' })
  })

  test('exist once, even when added twice at the same moment', async () => {
    await using open = await openAuth()
    const outcomes = await Promise.allSettled([
      open.auth.accounts.add(user, tester),
      open.auth.accounts.add(user, tester),
    ])
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await expect(open.auth.accounts.add(user, tester)).rejects.toMatchObject({ name: 'AccountExistsError' })
  })

  test('get existing repositories below their name only on request', async () => {
    await using open = await openAuth()
    const name = parseRepositoryName('bob/app')
    await open.metadata.transact((tx) => ensureRepository(tx, { name, visibility: 'private', now: 1 }))
    await expect(open.auth.accounts.add(user, tester)).rejects.toMatchObject({ name: 'OwnerTakenError' })
    await open.auth.accounts.add({ ...user, adopt: true }, tester)
    expect(await findOwner(open.metadata.reader, 'bob')).toMatchObject({ kind: 'user' })
  })

  test('that do not exist cannot be changed', async () => {
    await using open = await openAuth()
    const { accounts } = open.auth
    const unknown = { name: 'AccountUnknownError' }
    await expect(accounts.disable('nobody', tester)).rejects.toMatchObject(unknown)
    await expect(accounts.enable('nobody', tester)).rejects.toMatchObject(unknown)
    await expect(accounts.setPassword('nobody', bobsPassword, tester)).rejects.toMatchObject(unknown)
    expect(await open.audit.search({ filter: {}, limit: 10 })).toEqual([])
  })

  test('G1: are audited with each change, without a password', async () => {
    await using open = await openAuth()
    const { accounts } = open.auth
    await accounts.ensureFirstAdministrator({ name: 'admin' })
    await accounts.add(user, tester)
    await accounts.setPassword('bob', 'another password', tester)
    await accounts.disable('bob', tester)
    await accounts.enable('bob', tester)
    const target = { kind: 'user', name: 'bob' }
    const events = await open.audit.search({ filter: {}, limit: 10 })
    expect(events).toMatchObject([
      { action: 'user.enable', actor: { id: 'operator', name: 'tester' }, target },
      { action: 'user.disable', target },
      { action: 'user.password', target },
      { action: 'user.create', target, detail: { isAdmin: false } },
      { action: 'user.create', actor: { id: 'system' }, target: { name: 'admin' } },
    ])
    for (const secret of [bobsPassword, 'another password'])
      expect(JSON.stringify(events)).not.toContain(secret)
  })
})

describe('the password of a user', () => {
  const change = { name: 'bob', oldPassword: bobsPassword, password: 'another password' }

  test('is changed by who knows the old one, and ends what was proven with it', async () => {
    await using open = await openAuthWithUsers()
    const before = await open.auth.authenticator.login({ name: 'bob', password: bobsPassword }, origin)
    await open.auth.accounts.changePassword(change, origin)
    const login = (password: string) => open.auth.authenticator.login({ name: 'bob', password }, origin)
    expect(await login('another password')).toMatchObject({ name: 'bob' })
    await expect(login(bobsPassword)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    const request = { principal: before, scopes: [], offline: false, clientId: undefined }
    await expect(open.auth.tokens.issue(request)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    const events = await open.audit.search({ filter: { action: 'user.password' }, limit: 5 })
    expect(events).toMatchObject([
      { actor: { name: 'bob', credential: 'password', address: origin.address } },
    ])
  })

  test('C5: is changed with neither a wrong one nor an access token, and guesses are slowed down', async () => {
    await using open = await openAuthWithUsers()
    const { id } = (await open.auth.accounts.find('bob'))!
    const { secret } = await open.auth.accessTokens.create(id, { name: 'laptop' }, tester)
    const attempts = ['wrong 1', 'wrong 2', 'wrong 3', 'wrong 4', secret]
    for (const oldPassword of attempts) {
      const attempt = open.auth.accounts.changePassword({ ...change, oldPassword }, origin)
      await expect(attempt).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    }
    expect(open.delays.length).toBeGreaterThan(0)
    const weak = open.auth.accounts.changePassword({ ...change, password: 'short' }, origin)
    await expect(weak).rejects.toMatchObject({ name: 'PasswordRefusedError' })
    const isToken = open.auth.accounts.changePassword({ ...change, password: secret }, origin)
    await expect(isToken).rejects.toMatchObject({ name: 'PasswordRefusedError' })
    expect(await open.auth.authenticator.login({ name: 'bob', password: bobsPassword }, origin)).toBeDefined()
  })

  test('keeps a value that another request set in the meantime', async () => {
    const hasher = createPasswordHasher({ cost: { memoryKib: 8, passes: 1 } })
    let meanwhile: (() => Promise<void>) | undefined
    const hash = async (password: string): Promise<string> => {
      const first = meanwhile
      meanwhile = undefined
      await first?.()
      return hasher.hash(password)
    }
    await using open = await openAuthWithUsers({ passwords: { ...hasher, hash } })
    meanwhile = () => open.auth.accounts.setPassword('bob', 'set by root', tester)
    const attempt = open.auth.accounts.changePassword(change, origin)
    await expect(attempt).rejects.toMatchObject({ name: 'PasswordChangedError' })
    const login = open.auth.authenticator.login({ name: 'bob', password: 'set by root' }, origin)
    expect(await login).toMatchObject({ name: 'bob' })
  })
})

describe('the first administrator', () => {
  const file = (open: OpenAuth) => join(open.folder, 'admin-password')

  test('gets a generated password, kept in a private file until it is changed', async () => {
    await using open = await openAuth()
    const first = await open.auth.accounts.ensureFirstAdministrator({ name: 'admin' })
    const password = first!.generated!.password
    expect(first).toEqual({ name: 'admin', generated: { password, file: file(open) } })
    expect(password).toMatch(/^([a-z2-9]{4}-){4}[a-z2-9]{4}$/)
    expect(await readFile(file(open), 'utf8')).toBe(`${password}\n`)
    expect((await stat(file(open))).mode & 0o777).toBe(0o600)
    expect(await open.auth.authenticator.authenticate(basic('admin', password), origin)).toMatchObject({
      isAdmin: true,
    })
    await open.auth.accounts.setPassword('admin', 'another password', tester)
    expect((await readdir(open.folder)).filter((name) => name.startsWith('admin'))).toEqual([])
  })

  test('gets the configured password, and no file', async () => {
    await using open = await openAuth()
    const first = await open.auth.accounts.ensureFirstAdministrator({ name: 'root', password: bobsPassword })
    expect(first).toEqual({ name: 'root', generated: undefined })
    await open.auth.authenticator.authenticate(basic('root', bobsPassword), origin)
    await expect(stat(file(open))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('is made once, even when processes start together, and the file has its password', async () => {
    await using open = await openAuth()
    const processes = [open.auth, await open.openSecond(), await open.openSecond()]
    const made = await Promise.all(
      processes.map((auth) => auth.accounts.ensureFirstAdministrator({ name: 'admin' })),
    )
    const [first, ...others] = made.filter((one) => one !== undefined)
    expect(others).toEqual([])
    expect(await readFile(file(open), 'utf8')).toBe(`${first?.generated?.password}\n`)
    expect((await readdir(open.folder)).filter((name) => name.startsWith('admin'))).toEqual([
      'admin-password',
    ])
  })

  test('is not made if there are accounts, even disabled ones', async () => {
    await using open = await openAuth()
    await open.auth.accounts.add(user, tester)
    await open.auth.accounts.disable('bob', tester)
    expect(await open.auth.accounts.ensureFirstAdministrator({ name: 'admin' })).toBeUndefined()
  })

  test('a file with another password stays when a password is changed', async () => {
    await using open = await openAuthWithUsers()
    await writeFile(file(open), 'of somebody else\n')
    await open.auth.accounts.setPassword('bob', 'another password', tester)
    expect(await readFile(file(open), 'utf8')).toBe('of somebody else\n')
  })

  test.each([{ name: 'Admin' }, { name: 'admin', password: 'short' }])(
    'is refused with %j',
    async (options) => {
      await using open = await openAuth()
      await expect(open.auth.accounts.ensureFirstAdministrator(options)).rejects.toThrow(
        /^"Admin" cannot be|^the password is refused/,
      )
      expect(await open.auth.accounts.list({ limit: 1 })).toEqual([])
    },
  )
})
