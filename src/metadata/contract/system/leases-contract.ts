import { expect, test } from 'vitest'
import type { Transaction } from '../../handles.ts'
import {
  acceptStore,
  ensureInstallation,
  findInstallation,
  findStoreJudgement,
  setJudgesSince,
} from '../../system/installation.ts'
import type { LeaseMark } from '../../system/leases.ts'
import { acquireLease, findLease, releaseLease, renewLease } from '../../system/leases.ts'
import { numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

export function testLeases({ metadata }: ContractSubject): void {
  const acquire = (name: string, holder: string, now: number) =>
    metadata().transact((tx) => acquireLease(tx, { name, holder, now, ttlMs: 100 }))
  const renew = (name: string, holder: string, generation: number) =>
    metadata().transact((tx) => renewLease(tx, { name, holder, generation, now: 150, ttlMs: 100 }))

  test('gives a lease to one of 10 racing holders', async () => {
    const name = unique('lease')
    const claims = await Promise.all(numbers(10).map((index) => acquire(name, `holder-${index}`, 1_000)))
    expect(claims.filter((claim) => claim !== undefined)).toEqual([{ generation: 1 }])
  })

  test('lets another holder in when the lease ends, and fences the former one', async () => {
    const name = unique('lease')
    expect(await acquire(name, 'first', 0)).toEqual({ generation: 1 })
    expect(await acquire(name, 'second', 99)).toBeUndefined()
    expect(await acquire(name, 'second', 100)).toEqual({ generation: 2 })
    expect(await renew(name, 'first', 1)).toBe(false)
    expect(await renew(name, 'second', 1)).toBe(false)
    expect(await renew(name, 'second', 2)).toBe(true)
    expect(await acquire(name, 'first', 249)).toBeUndefined()
    expect(await acquire(name, 'first', 250)).toEqual({ generation: 3 })
  })

  test('gives a lease from the future to another holder only while it has the mark that was seen', async () => {
    const name = unique('lease')
    await acquire(name, 'ahead', 1_000_000)
    const seen = await findLease(metadata().reader, name)
    expect(seen).toEqual({ holder: 'ahead', generation: 1, expiresAt: 1_000_100 })
    const take = (abandoned: LeaseMark | undefined) =>
      metadata().transact((tx) => acquireLease(tx, { name, holder: 'b', now: 0, ttlMs: 100, abandoned }))
    expect(await take(undefined)).toBeUndefined()
    expect(await take({ generation: 1, expiresAt: 1_000_099 })).toBeUndefined()
    expect(await take({ generation: 2, expiresAt: 1_000_100 })).toBeUndefined()
    expect(await take(seen)).toEqual({ generation: 2 })
    expect(await findLease(metadata().reader, unique('lease'))).toBeUndefined()
  })

  test('fences an earlier run of the same holder', async () => {
    const name = unique('lease')
    await acquire(name, 'me', 0)
    expect(await acquire(name, 'me', 1)).toEqual({ generation: 2 })
    expect(await renew(name, 'me', 1)).toBe(false)
  })

  test('lets others in at once after a release, with a higher generation', async () => {
    const name = unique('lease')
    await acquire(name, 'first', 0)
    const release = (holder: string, generation: number) =>
      metadata().transact((tx) => releaseLease(tx, { name, holder, generation }))
    await release('first', 7)
    await release('second', 1)
    expect(await acquire(name, 'second', 1)).toBeUndefined()
    await release('first', 1)
    expect(await acquire(name, 'second', 1)).toEqual({ generation: 2 })
    expect(await renew(unique('lease'), 'second', 1)).toBe(false)
  })

  test('keeps the first installation id', async () => {
    const ensure = () =>
      metadata().transact((tx) => ensureInstallation(tx, { id: unique('installation'), now: 1 }))
    const first = await ensure()
    expect(await ensure()).toBe(first)
  })

  test('judges the store from the first start on, or from a later time, until an operator accepts it', async () => {
    const { reader } = metadata()
    const transact = <T>(work: (tx: Transaction) => Promise<T>) => metadata().transact(work)
    await transact((tx) => ensureInstallation(tx, { id: unique('installation'), now: 5 }))
    await transact((tx) => setJudgesSince(tx, 7))
    expect(await findStoreJudgement(reader)).toEqual({ judgesSince: 7, acceptedAt: undefined })
    expect(await transact((tx) => acceptStore(tx, 9))).toBe(await findInstallation(reader))
    expect(await findStoreJudgement(reader)).toEqual({ judgesSince: 7, acceptedAt: 9 })
    await transact((tx) => setJudgesSince(tx, 11))
    expect(await findStoreJudgement(reader)).toEqual({ judgesSince: 11, acceptedAt: undefined })
  })
}
