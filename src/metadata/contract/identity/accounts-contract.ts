import { expect, test } from 'vitest'
import type { RepositoryName } from '../../../oci/repository-name.ts'
import {
  findAccount,
  findAccountState,
  hasAccounts,
  insertAccount,
  isAccountUnchanged,
  listAccounts,
  setAccountDisabled,
  setAccountPassword,
} from '../../identity/accounts.ts'
import { Conflict } from '../../errors.ts'
import type { Metadata } from '../../metadata.ts'
import {
  deleteRefreshToken,
  findRefreshToken,
  insertRefreshToken,
  listRefreshTokens,
  touchRefreshToken,
} from '../../identity/refresh-tokens.ts'
import { findOwner } from '../../owners/owners.ts'
import { createRepository, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

async function createAccount(
  metadata: Metadata,
  name = unique('user'),
): Promise<{ id: number; name: string }> {
  const account = { name, passwordHash: 'hash', isAdmin: false, now: 7 }
  return { id: await metadata.transact((tx) => insertAccount(tx, account)), name }
}

export function testAccounts({ metadata }: ContractSubject): void {
  test('keeps an account as it was inserted', async () => {
    const { id, name } = await createAccount(metadata())
    const { reader } = metadata()
    const state = { kind: 'user', name, isAdmin: false, disabled: false, credentialVersion: 1 }
    expect(await findAccount(reader, name)).toEqual({
      ...state,
      id,
      ownerDisabled: false,
      passwordHash: 'hash',
      createdAt: 7,
      passwordSetAt: 7,
    })
    expect(await findAccountState(reader, id)).toEqual(state)
    expect(await isAccountUnchanged(reader, { ...state, id })).toBe(true)
    for (const change of [{ name: 'other' }, { isAdmin: true }, { credentialVersion: 2 }]) {
      expect(await isAccountUnchanged(reader, { ...state, id, ...change })).toBe(false)
    }
    expect(await hasAccounts(reader)).toBe(true)
    expect(await findAccount(reader, unique('user'))).toBeUndefined()
    expect(await findAccountState(reader, id + 1_000_000)).toBeUndefined()
  })

  test('finds no account for a name with NUL, which PostgreSQL refuses in queries', async () => {
    const { name } = await createAccount(metadata())
    const { reader } = metadata()
    for (const odd of [`${name}\0`, `\0${name}`, `${name.slice(0, 2)}\0${name.slice(2)}`, '\0']) {
      expect(await findAccount(reader, odd)).toBeUndefined()
    }
    expect(await listAccounts(reader, { after: '\0', limit: 1 })).toHaveLength(1)
  })

  test('creates the owner of its name, or turns an existing owner into a user', async () => {
    const { name } = await createAccount(metadata())
    expect(await findOwner(metadata().reader, name)).toMatchObject({ kind: 'user', visibility: 'public' })
    const organization = unique('organization')
    const { ownerId } = await createRepository(metadata(), { name: `${organization}/app` as RepositoryName })
    expect(await findOwner(metadata().reader, organization)).toMatchObject({ kind: 'organization' })
    await createAccount(metadata(), organization)
    expect(await findOwner(metadata().reader, organization)).toMatchObject({ id: ownerId, kind: 'user' })
  })

  test('throws Conflict for a second account of a name, and keeps the first', async () => {
    const { id, name } = await createAccount(metadata())
    await expect(createAccount(metadata(), name)).rejects.toBeInstanceOf(Conflict)
    expect(await findAccount(metadata().reader, name)).toMatchObject({ id, credentialVersion: 1 })
  })

  test('raises the credential version with each change', async () => {
    const { id, name } = await createAccount(metadata())
    const state = () => findAccountState(metadata().reader, id)
    const set = (disabled: boolean) => metadata().transact((tx) => setAccountDisabled(tx, { name, disabled }))
    expect(await set(true)).toBe(true)
    expect(await state()).toMatchObject({ disabled: true, credentialVersion: 2 })
    await set(false)
    expect(await state()).toMatchObject({ disabled: false, credentialVersion: 3 })
    const change = { name, passwordHash: 'other', now: 9 }
    expect(await metadata().transact((tx) => setAccountPassword(tx, change))).toBe(true)
    expect(await state()).toMatchObject({ credentialVersion: 4 })
    expect(await findAccount(metadata().reader, name)).toMatchObject({
      passwordHash: 'other',
      passwordSetAt: 9,
    })
    const late = { ...change, passwordHash: 'late', credentialVersion: 3 }
    expect(await metadata().transact((tx) => setAccountPassword(tx, late))).toBe(false)
    const nobody = { ...change, name: unique('user') }
    expect(await metadata().transact((tx) => setAccountPassword(tx, nobody))).toBe(false)
  })

  test('lists accounts in byte order, page by page', async () => {
    const prefix = unique('page')
    for (const suffix of ['b', 'a', 'a-b', 'a0']) await createAccount(metadata(), `${prefix}-${suffix}`)
    const page = await listAccounts(metadata().reader, { after: `${prefix}-a`, limit: 2 })
    expect(page.map((account) => account.name)).toEqual([`${prefix}-a-b`, `${prefix}-a0`])
  })
}

export function testRefreshTokens({ metadata }: ContractSubject): void {
  function insert(accountId: number, keep = 10): Promise<{ id: number; tokenHash: string }> {
    const tokenHash = unique('token')
    const token = { tokenHash, accountId, credentialVersion: 1, clientId: 'docker\0', now: 5 }
    return metadata().transact(async (tx) => ({ id: await insertRefreshToken(tx, token, keep), tokenHash }))
  }

  test('finds a token by its hash', async () => {
    const { id: accountId } = await createAccount(metadata())
    const { id, tokenHash } = await insert(accountId)
    const expected = {
      id,
      accountId,
      credentialVersion: 1,
      clientId: 'docker\uFFFD',
      createdAt: 5,
      usedAt: 5,
    }
    expect(await findRefreshToken(metadata().reader, tokenHash)).toEqual(expected)
    await metadata().transact((tx) => touchRefreshToken(tx, { id, now: 8 }))
    expect(await listRefreshTokens(metadata().reader, accountId)).toEqual([{ ...expected, usedAt: 8 }])
    expect(await findRefreshToken(metadata().reader, unique('token'))).toBeUndefined()
  })

  test('revokes one', async () => {
    const { id: accountId } = await createAccount(metadata())
    const { id, tokenHash } = await insert(accountId)
    expect(await metadata().transact((tx) => deleteRefreshToken(tx, id))).toBe(true)
    expect(await metadata().transact((tx) => deleteRefreshToken(tx, id))).toBe(false)
    expect(await findRefreshToken(metadata().reader, tokenHash)).toBeUndefined()
  })

  test('keeps the newest tokens of an account', async () => {
    const { id: accountId } = await createAccount(metadata())
    const other = await createAccount(metadata())
    await insert(other.id)
    const ids: number[] = []
    for (const _ of numbers(5)) ids.push((await insert(accountId, 3)).id)
    const kept = await listRefreshTokens(metadata().reader, accountId)
    expect(kept.map((token) => token.id)).toEqual(ids.slice(2))
    expect(await listRefreshTokens(metadata().reader, other.id)).toHaveLength(1)
  })

  test('keeps tokens in use, however many follow', async () => {
    const { id: accountId } = await createAccount(metadata())
    const { id: laptop } = await insert(accountId, 3)
    const { id: forgotten } = await insert(accountId, 3)
    await metadata().transact((tx) => touchRefreshToken(tx, { id: laptop, now: 8 }))
    const jobs: number[] = []
    for (const _ of numbers(5)) jobs.push((await insert(accountId, 3)).id)
    const kept = (await listRefreshTokens(metadata().reader, accountId)).map(({ id }) => id)
    expect(kept).toEqual([laptop, ...jobs.slice(3)])
    expect(kept).not.toContain(forgotten)
  })

  test('loses all tokens of an account when its password changes', async () => {
    const { id: accountId, name } = await createAccount(metadata())
    await insert(accountId)
    expect(await listRefreshTokens(metadata().reader, accountId)).toHaveLength(1)
    await metadata().transact((tx) => setAccountPassword(tx, { name, passwordHash: 'other', now: 9 }))
    expect(await listRefreshTokens(metadata().reader, accountId)).toEqual([])
  })
}
