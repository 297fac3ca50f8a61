import { expect, test } from 'vitest'
import { Conflict, MetadataTooNew } from '../../errors.ts'
import { acquireLease } from '../../system/leases.ts'
import type { ContractSubject } from '../contract-subject.ts'
import { migrate } from '../../migrations/migrate.ts'
import { ensureRepository, findRepository } from '../../repositories/repositories.ts'
import { kyselyOf } from '../../sql/database.ts'
import { insertUpload } from '../../content/uploads.ts'
import { aName, anUpload, numbers, unique } from '../builders.ts'

export function testTransactions({ metadata }: ContractSubject): void {
  test('returns what the work returns and shows its rows to readers', async () => {
    const name = aName()
    const created = await metadata().transact((tx) =>
      ensureRepository(tx, { name, visibility: 'public', now: 5 }),
    )
    expect(await findRepository(metadata().reader, name)).toEqual(created)
  })

  test('reads its own writes', async () => {
    const name = aName()
    await metadata().transact(async (tx) => {
      const created = await ensureRepository(tx, { name, visibility: 'public', now: 5 })
      expect(await findRepository(tx, name)).toEqual(created)
    })
  })

  test('keeps nothing of work that throws, and passes the error on', async () => {
    const name = aName()
    const fault = new Error('the work changed its mind')
    const attempt = metadata().transact(async (tx) => {
      await ensureRepository(tx, { name, visibility: 'public', now: 5 })
      throw fault
    })
    await expect(attempt).rejects.toBe(fault)
    expect(await findRepository(metadata().reader, name)).toBeUndefined()
  })

  test('continues after work that threw', async () => {
    const attempts = numbers(20).map((index) =>
      metadata().transact(async (tx) => {
        await ensureRepository(tx, { name: aName(`after-${index}`), visibility: 'public', now: 5 })
        if (index % 2 === 0) throw new Error('every second transaction fails')
      }),
    )
    const outcomes = await Promise.allSettled(attempts)
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(10)
  })

  test('loses no update among 100 concurrent transactions', async () => {
    const name = unique('counter')
    const claims = await Promise.all(
      numbers(100).map(() =>
        metadata().transact((tx) => acquireLease(tx, { name, holder: 'me', now: 1, ttlMs: 1 })),
      ),
    )
    const generations = claims.map((claim) => claim?.generation ?? 0).toSorted((a, b) => a - b)
    expect(generations).toEqual(numbers(100).map((index) => index + 1))
  })

  test('throws Conflict if a unique value is taken', async () => {
    const upload = anUpload()
    await metadata().transact((tx) => insertUpload(tx, upload))
    const again = metadata().transact((tx) => insertUpload(tx, anUpload({ storageKey: upload.storageKey })))
    await expect(again).rejects.toBeInstanceOf(Conflict)
  })

  test('commits without waiting for the disk if requested, and flush makes the commit durable', async () => {
    const name = aName()
    const work = metadata().transact((tx) => ensureRepository(tx, { name, visibility: 'public', now: 5 }), {
      durable: false,
    })
    const created = await work
    await metadata().flush()
    expect(await findRepository(metadata().reader, name)).toEqual(created)
  })

  test('answers a ping', async () => {
    await expect(metadata().ping()).resolves.toBeUndefined()
  })

  test('upgrades a second time without effect', async () => {
    const again = metadata().transact((tx) => migrate(tx, 1))
    await expect(again).resolves.toBeUndefined()
  })

  test('refuses a database that a newer version has upgraded', async () => {
    const attempt = metadata().transact(async (tx) => {
      await kyselyOf(tx)
        .insertInto('schema_migration')
        .values({ name: '9999-future', applied_at: 1 })
        .execute()
      await migrate(tx, 2)
    })
    await expect(attempt).rejects.toEqual(new MetadataTooNew(['9999-future']))
  })
}
