import { expect, test } from 'vitest'
import {
  countAccessTokens,
  deleteEndedAccessTokens,
  endAccessToken,
  findAccessToken,
  findTokenHolder,
  insertAccessToken,
  isAccessTokenUnchanged,
  listAccessTokens,
  noteAccessTokenUses,
  revokeAccessToken,
  revokeAccessTokensOf,
  type NewAccessToken,
} from '../../identity/access-tokens.ts'
import {
  deleteAccount,
  findAccount,
  findAccountState,
  insertAccount,
  insertRobot,
  listAccounts,
  listRobots,
  lockAccount,
  setAccountDisabled,
  setAccountPassword,
} from '../../identity/accounts.ts'
import {
  deleteBrowserSession,
  deleteExpiredBrowserSessions,
  findBrowserSession,
  findBrowserSessionHolder,
  holdBrowserSession,
  insertBrowserSession,
  listBrowserSessions,
  noteBrowserSessionUses,
} from '../../identity/browser-sessions.ts'
import { Conflict } from '../../errors.ts'
import type { Metadata } from '../../metadata.ts'
import { findOwner } from '../../owners/owners.ts'
import { numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

interface Created {
  readonly id: number
  readonly name: string
}

async function createAccount(metadata: Metadata): Promise<Created> {
  const name = unique('user')
  const account = { name, passwordHash: 'hash', isAdmin: false, now: 7 }
  return { id: await metadata.transact((tx) => insertAccount(tx, account)), name }
}

async function ownerIdOf(metadata: Metadata, name: string): Promise<number> {
  return (await findOwner(metadata.reader, name))?.id ?? 0
}

export function testRobots({ metadata }: ContractSubject): void {
  async function createRobot(name: string, ownerId: number): Promise<number> {
    return metadata().transact((tx) => insertRobot(tx, { name, ownerId, now: 8 }))
  }

  test('are disabled while the user who owns them is disabled', async () => {
    const { name: owner } = await createAccount(metadata())
    const ownerId = await ownerIdOf(metadata(), owner)
    await createRobot(`${owner}+ci`, ownerId)
    for (const disabled of [true, false]) {
      await metadata().transact((tx) => setAccountDisabled(tx, { name: owner, disabled }))
      const state = { disabled: false, ownerDisabled: disabled }
      expect(await findAccount(metadata().reader, `${owner}+ci`)).toMatchObject(state)
      expect(await listRobots(metadata().reader, { ownerId, limit: 1 })).toMatchObject([state])
    }
  })

  test('belong to an owner and are not users', async () => {
    const { name: owner } = await createAccount(metadata())
    const ownerId = await ownerIdOf(metadata(), owner)
    const id = await createRobot(`${owner}+ci`, ownerId)
    const { reader } = metadata()
    expect(await findAccountState(reader, id)).toMatchObject({ kind: 'robot', isAdmin: false })
    expect(await findAccount(reader, `${owner}+ci`)).toMatchObject({ id, passwordHash: '' })
    expect(await findOwner(reader, `${owner}+ci`)).toBeUndefined()
    expect(await listAccounts(reader, { after: owner, limit: 1 })).not.toMatchObject([{ id }])
    await createRobot(`${owner}+a`, ownerId)
    const names = async (page: { after?: string; limit: number }): Promise<string[]> =>
      (await listRobots(reader, { ownerId, ...page })).map(({ name }) => name)
    expect(await names({ limit: 5 })).toEqual([`${owner}+a`, `${owner}+ci`])
    expect(await names({ limit: 5, after: `${owner}+a` })).toEqual([`${owner}+ci`])
    expect(await listRobots(reader, { after: `${owner}+a`, limit: 1 })).toMatchObject([{ id }])
    await expect(createRobot(`${owner}+ci`, ownerId)).rejects.toBeInstanceOf(Conflict)
  })

  test('are deleted with their credentials', async () => {
    const { name: owner } = await createAccount(metadata())
    const name = `${owner}+ci`
    const id = await createRobot(name, await ownerIdOf(metadata(), owner))
    const tokenId = await metadata().transact((tx) => insertAccessToken(tx, aToken({ accountId: id })))
    await metadata().transact((tx) => insertBrowserSession(tx, aSession({ accountId: id }), 10))
    await metadata().transact((tx) => deleteAccount(tx, id))
    expect(await findAccount(metadata().reader, name)).toBeUndefined()
    expect(await findAccessToken(metadata().reader, tokenId)).toBeUndefined()
    expect(await listBrowserSessions(metadata().reader, id)).toEqual([])
  })
}

function aToken(changes: Partial<NewAccessToken> & { accountId: number }): NewAccessToken {
  return {
    name: 'laptop',
    tokenHash: unique('hash'),
    hint: 'wxyz',
    actions: undefined,
    patterns: undefined,
    createdBy: 'user:1',
    expiresAt: undefined,
    now: 10,
    ...changes,
  }
}

export function testAccessTokens({ metadata }: ContractSubject): void {
  async function insert(changes: Partial<NewAccessToken> & { accountId: number }): Promise<number> {
    return metadata().transact(async (tx) => {
      await lockAccount(tx, changes.accountId)
      return insertAccessToken(tx, aToken(changes))
    })
  }

  test('are kept as they were inserted, and found with their account', async () => {
    const account = await createAccount(metadata())
    const accountId = account.id
    const bounds = { actions: ['pull', 'push'], patterns: ['acme/**'] }
    const tokenHash = unique('hash')
    const id = await insert({ accountId, tokenHash, name: 'a\0b', ...bounds, expiresAt: 99 })
    const { reader } = metadata()
    expect(await findAccessToken(reader, id)).toEqual({
      id,
      accountId,
      name: 'a\uFFFDb',
      hint: 'wxyz',
      ...bounds,
      createdAt: 10,
      createdBy: 'user:1',
      expiresAt: 99,
      usedAt: undefined,
      revokedAt: undefined,
    })
    const holder = {
      account: {
        id: accountId,
        kind: 'user',
        name: account.name,
        isAdmin: false,
        disabled: false,
        credentialVersion: 1,
      },
      token: { id, ...bounds, expiresAt: 99, isRevoked: false },
    }
    expect(await findTokenHolder(reader, { tokenHash })).toEqual(holder)
    expect(await findTokenHolder(reader, { id })).toEqual(holder)
    expect(await findTokenHolder(reader, { tokenHash: unique('hash') })).toBeUndefined()
  })

  test('are valid while neither they nor their account changed', async () => {
    const { id, name } = await createAccount(metadata())
    const tokenId = await insert({ accountId: id, expiresAt: 50 })
    const other = await insert({ accountId: (await createAccount(metadata())).id })
    const patterns = ['acme/**']
    const limited = await insert({ accountId: id, expiresAt: 50, patterns })
    const proven = { id, name, isAdmin: false, credentialVersion: 1, tokenId, patterns: undefined, now: 49 }
    type Changes = Partial<Omit<typeof proven, 'patterns'> & { patterns: string[] }>
    const holds = async (changes: Changes = {}): Promise<boolean> =>
      isAccessTokenUnchanged(metadata().reader, { ...proven, ...changes })
    expect(await holds()).toBe(true)
    expect(await holds({ tokenId: limited, patterns })).toBe(true)
    const changes = [
      { now: 50 },
      { patterns },
      { tokenId: limited },
      { tokenId: limited, patterns: ['apex/**'] },
      { tokenId: other },
      { name: 'other' },
      { isAdmin: true },
      { credentialVersion: 2 },
    ]
    for (const change of changes) expect(await holds(change)).toBe(false)
    await metadata().transact((tx) => setAccountDisabled(tx, { name, disabled: true }))
    expect(await holds({ credentialVersion: 2 })).toBe(false)
    await metadata().transact((tx) => setAccountDisabled(tx, { name, disabled: false }))
    expect(await holds({ credentialVersion: 3 })).toBe(true)
    const revoke = (): Promise<boolean> =>
      metadata().transact((tx) => revokeAccessToken(tx, { id: tokenId, now: 45 }))
    expect(await revoke()).toBe(true)
    expect(await revoke()).toBe(false)
    expect(await holds({ credentialVersion: 3 })).toBe(false)
    const holder = await findTokenHolder(metadata().reader, { id: tokenId })
    expect(holder?.token).toMatchObject({ isRevoked: true })
  })

  test('are valid only with unchanged repositories', async () => {
    const { id, name } = await createAccount(metadata())
    const patterns = ['acme/**', 'acme/web']
    const tokenId = await insert({ accountId: id, patterns })
    const proven = { id, name, isAdmin: false, credentialVersion: 1, tokenId, now: 49 }
    const holds = async (changed: readonly string[] | undefined): Promise<boolean> =>
      isAccessTokenUnchanged(metadata().reader, { ...proven, patterns: changed })
    expect(await holds([...patterns])).toBe(true)
    for (const other of [undefined, [], ['acme/**'], patterns.toReversed()]) {
      expect(await holds(other)).toBe(false)
    }
  })

  test('are listed in pages, and counted while they are active', async () => {
    const { id: accountId } = await createAccount(metadata())
    const ids: number[] = []
    for (const expiresAt of [undefined, 20, 40]) ids.push(await insert({ accountId, expiresAt }))
    const { reader } = metadata()
    const page = await listAccessTokens(reader, { accountId, after: ids[0], limit: 1 })
    expect(page.map(({ id }) => id)).toEqual([ids[1]])
    expect(await countAccessTokens(reader, { accountId, now: 20 })).toBe(2)
    expect(await metadata().transact((tx) => revokeAccessTokensOf(tx, { accountId, now: 30 }))).toBe(3)
    expect(await countAccessTokens(reader, { accountId, now: 20 })).toBe(0)
  })

  test('end earlier, never later', async () => {
    const { id: accountId } = await createAccount(metadata())
    const [open, short] = [await insert({ accountId }), await insert({ accountId, expiresAt: 20 })]
    for (const id of [open, short]) await metadata().transact((tx) => endAccessToken(tx, { id, at: 30 }))
    const listed = await listAccessTokens(metadata().reader, { accountId, limit: 5 })
    expect(listed.map(({ expiresAt }) => expiresAt)).toEqual([30, 20])
  })

  test('record their last use, not more often than requested', async () => {
    const { id: accountId } = await createAccount(metadata())
    const id = await insert({ accountId })
    const usedAt = async (at: number): Promise<number | undefined> => {
      await metadata().transact((tx) => noteAccessTokenUses(tx, new Map([[id, at]]), at - 100))
      return (await findAccessToken(metadata().reader, id))?.usedAt
    }
    expect([await usedAt(500), await usedAt(599), await usedAt(600)]).toEqual([500, 500, 600])
    // Recorded by a clock that was ahead and has since been corrected.
    expect([await usedAt(9_000), await usedAt(700)]).toEqual([9_000, 700])
  })

  test('are deleted some time after their end', async () => {
    const { id: accountId } = await createAccount(metadata())
    const forget = (before: number): Promise<number> =>
      metadata().transact((tx) => deleteEndedAccessTokens(tx, { before, limit: 10 }))
    while ((await forget(100)) > 0);
    const kept = await insert({ accountId })
    for (const expiresAt of [20, 30, 100]) await insert({ accountId, expiresAt })
    const revoked = await insert({ accountId })
    await metadata().transact((tx) => revokeAccessToken(tx, { id: revoked, now: 40 }))
    expect([await forget(100), await forget(100)]).toEqual([3, 0])
    const left = await listAccessTokens(metadata().reader, { accountId, limit: 5 })
    expect(left).toMatchObject([{ id: kept }, { expiresAt: 100 }])
  })
}

function aSession(changes: { accountId: number; now?: number; expiresAt?: number; tokenHash?: string }) {
  return {
    tokenHash: unique('hash'),
    credentialVersion: 1,
    now: 10,
    expiresAt: 1_000,
    address: '192.0.2.1',
    client: 'browser',
    ...changes,
  }
}

export function testBrowserSessions({ metadata }: ContractSubject): void {
  function insert(session: Parameters<typeof aSession>[0], keep = 10): Promise<number> {
    return metadata().transact((tx) => insertBrowserSession(tx, aSession(session), keep))
  }

  test('are found with the current state of the account', async () => {
    const { id: accountId, name } = await createAccount(metadata())
    const tokenHash = unique('hash')
    const id = await insert({ accountId, tokenHash })
    const session = {
      id,
      accountId,
      credentialVersion: 1,
      createdAt: 10,
      usedAt: 10,
      expiresAt: 1_000,
      address: '192.0.2.1',
      client: 'browser',
    }
    expect(await findBrowserSession(metadata().reader, tokenHash)).toEqual({
      session,
      account: { kind: 'user', name, isAdmin: false, disabled: false, credentialVersion: 1 },
    })
    expect(await listBrowserSessions(metadata().reader, accountId)).toEqual([session])
    expect(await findBrowserSessionHolder(metadata().reader, id)).toBe(name)
    expect(await findBrowserSessionHolder(metadata().reader, id + 1_000_000)).toBeUndefined()
    expect(await findBrowserSession(metadata().reader, unique('hash'))).toBeUndefined()
  })

  test('C2: end with a new password', async () => {
    const { id: accountId, name } = await createAccount(metadata())
    await insert({ accountId })
    await metadata().transact((tx) => setAccountPassword(tx, { name, passwordHash: 'other', now: 9 }))
    expect(await listBrowserSessions(metadata().reader, accountId)).toEqual([])
  })

  test('are ended by id, and by account', async () => {
    const { id: accountId } = await createAccount(metadata())
    const id = await insert({ accountId })
    const end = (session: { id: number; accountId?: number }): Promise<boolean> =>
      metadata().transact((tx) => deleteBrowserSession(tx, session))
    expect(await end({ id, accountId: accountId + 1_000_000 })).toBe(false)
    expect(await end({ id, accountId })).toBe(true)
    expect(await end({ id })).toBe(false)
  })

  test('are not ended before the end of a transaction that holds them', async () => {
    const { id: accountId } = await createAccount(metadata())
    const id = await insert({ accountId })
    const order: string[] = []
    const ended: Promise<void>[] = []
    await metadata().transact(async (tx) => {
      expect(await holdBrowserSession(tx, id)).toMatchObject({ id, accountId, credentialVersion: 1 })
      const end = metadata().transact((other) => deleteBrowserSession(other, { id }))
      ended.push(end.then(() => void order.push('ended')))
      // The queries of this transaction give the other one enough turns to end first.
      for (const _ of numbers(50)) await findBrowserSessionHolder(tx, id)
      order.push('changed')
    })
    await Promise.all(ended)
    expect(order).toEqual(['changed', 'ended'])
    expect(await metadata().transact((tx) => holdBrowserSession(tx, id))).toBeUndefined()
  })

  test('stay while they are used, however many logins follow; ended ones are removed first', async () => {
    const { id: accountId } = await createAccount(metadata())
    const used = await insert({ accountId, expiresAt: 1_000 }, 3)
    await metadata().transact((tx) => noteBrowserSessionUses(tx, new Map([[used, 40]]), 10))
    const over = await insert({ accountId, expiresAt: 1 }, 3)
    await metadata().transact((tx) => noteBrowserSessionUses(tx, new Map([[over, 50]]), 10))
    const ids: number[] = []
    for (const _ of numbers(4)) ids.push(await insert({ accountId, expiresAt: 1_000 }, 3))
    const left = await listBrowserSessions(metadata().reader, accountId)
    expect(left.map(({ id }) => id)).toEqual([used, ...ids.slice(2)])
  })

  test('are replaced by newer ones, record their use, and are deleted when they are idle or old', async () => {
    const { id: accountId } = await createAccount(metadata())
    const forget = (options: { now: number; usedBefore: number }): Promise<number> =>
      metadata().transact((tx) => deleteExpiredBrowserSessions(tx, { ...options, limit: 3 }))
    while ((await forget({ now: 1_000, usedBefore: 1_000 })) > 0);
    const ids: number[] = []
    for (const index of numbers(4)) ids.push(await insert({ accountId, expiresAt: 100 + index }, 3))
    const left = async (): Promise<number[]> =>
      (await listBrowserSessions(metadata().reader, accountId)).map(({ id }) => id)
    expect(await left()).toEqual(ids.slice(1))
    const [, first = 0, second = 0, third = 0] = ids
    const uses = new Map([
      [first, 40],
      [second, 60],
      [third, 60],
    ])
    await metadata().transact((tx) => noteBrowserSessionUses(tx, uses, 10))
    await metadata().transact((tx) => noteBrowserSessionUses(tx, new Map([[first, 70]]), 39))
    expect(await forget({ now: 102, usedBefore: 0 })).toBe(2)
    expect(await left()).toEqual([third])
    expect(await forget({ now: 0, usedBefore: 60 })).toBe(1)
    expect(await left()).toEqual([])
  })
}
