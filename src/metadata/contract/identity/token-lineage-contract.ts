/**
 * Tests which credentials end together: the secrets of an access token that rotated itself, and bearer tokens with their refresh
 * token.
 */
import { expect, test } from 'vitest'
import { findAccessToken, insertAccessToken, type NewAccessToken } from '../../identity/access-tokens.ts'
import { insertAccount, setAccountDisabled } from '../../identity/accounts.ts'
import type { Metadata } from '../../metadata.ts'
import {
  deleteRefreshToken,
  insertRefreshToken,
  isRefreshTokenUnchanged,
} from '../../identity/refresh-tokens.ts'
import {
  endTokenLineage,
  findTokenLineage,
  listAccountsWithTokensBy,
  revokeTokenLineage,
  revokeTokensMadeBy,
} from '../../identity/token-lineage.ts'
import { unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

async function createAccount(metadata: Metadata): Promise<{ readonly id: number; readonly name: string }> {
  const name = unique('user')
  const account = { name, passwordHash: 'hash', isAdmin: false, now: 7 }
  return { id: await metadata.transact((tx) => insertAccount(tx, account)), name }
}

export function testTokenLineages({ metadata }: ContractSubject): void {
  const insert = (changes: Partial<NewAccessToken> & { accountId: number }): Promise<number> => {
    const token = {
      name: 'ci',
      tokenHash: unique('hash'),
      hint: 'wxyz',
      actions: undefined,
      patterns: undefined,
      createdBy: 'operator',
      expiresAt: undefined,
      now: 10,
      ...changes,
    }
    return metadata().transact((tx) => insertAccessToken(tx, token))
  }
  const stateOf = async (id: number) => {
    const found = await findAccessToken(metadata().reader, id)
    return [found?.expiresAt, found?.revokedAt]
  }

  test('keep the original lifetime of a token, and the first token of its lineage', async () => {
    const { id: accountId } = await createAccount(metadata())
    const find = (id: number) => findTokenLineage(metadata().reader, id)
    const first = await insert({ accountId, expiresAt: 100 })
    expect(await find(first)).toEqual({ lifetimeMs: 90, firstId: first })
    const next = await insert({ accountId, expiresAt: 100, now: 60, lifetimeMs: 90, firstId: first })
    expect(await find(next)).toEqual({ lifetimeMs: 90, firstId: first })
    expect(await find(await insert({ accountId }))).toMatchObject({ lifetimeMs: undefined })
    expect(await find(1_000_000)).toBeUndefined()
  })

  test('end together, and others do not', async () => {
    const { id: accountId } = await createAccount(metadata())
    const first = await insert({ accountId })
    const next = await insert({ accountId, expiresAt: 40, firstId: first })
    const other = await insert({ accountId })
    await metadata().transact((tx) => endTokenLineage(tx, { firstId: first, at: 50 }))
    expect(await Promise.all([first, next, other].map(stateOf))).toEqual([
      [50, undefined],
      [40, undefined],
      [undefined, undefined],
    ])
    const revoke = () => metadata().transact((tx) => revokeTokenLineage(tx, { firstId: first, now: 30 }))
    expect([await revoke(), await revoke()]).toEqual([2, 0])
    expect(await Promise.all([first, next, other].map(stateOf))).toEqual([
      [50, 30],
      [40, 30],
      [undefined, undefined],
    ])
  })

  test('are found and ended by their creator', async () => {
    const [one, two] = [await createAccount(metadata()), await createAccount(metadata())]
    const createdBy = unique('user')
    await insert({ accountId: two.id, createdBy })
    await insert({ accountId: one.id, createdBy })
    await insert({ accountId: one.id, createdBy })
    const other = await insert({ accountId: one.id })
    const holders = () => listAccountsWithTokensBy(metadata().reader, createdBy)
    expect(await holders()).toEqual([one.id, two.id])
    expect(await metadata().transact((tx) => revokeTokensMadeBy(tx, { createdBy, now: 30 }))).toBe(3)
    expect(await holders()).toEqual([])
    expect(await stateOf(other)).toEqual([undefined, undefined])
  })

  test('C2: a refresh token is valid while it exists and its account is unchanged', async () => {
    const { id, name } = await createAccount(metadata())
    const add = () => {
      const row = {
        tokenHash: unique('hash'),
        accountId: id,
        credentialVersion: 1,
        clientId: undefined,
        now: 1,
      }
      return metadata().transact((tx) => insertRefreshToken(tx, row, 10))
    }
    const [refreshTokenId, other] = [await add(), await add()]
    const proven = { id, name, isAdmin: false, credentialVersion: 1, refreshTokenId }
    const holds = (change: object = {}) =>
      isRefreshTokenUnchanged(metadata().reader, { ...proven, ...change })
    expect(await holds()).toBe(true)
    for (const change of [{ id: id + 1 }, { name: 'x' }, { isAdmin: true }, { credentialVersion: 2 }])
      expect(await holds(change)).toBe(false)
    await metadata().transact((tx) => deleteRefreshToken(tx, refreshTokenId))
    expect(await holds()).toBe(false)
    expect(await holds({ refreshTokenId: other })).toBe(true)
    await metadata().transact((tx) => setAccountDisabled(tx, { name, disabled: true }))
    expect(await holds({ refreshTokenId: other })).toBe(false)
  })
}
