import { expect, test } from 'vitest'
import { deleteLoginEvents, insertLoginEvents, listLoginEvents } from '../login-events.ts'
import type { LoginEvent } from '../login-events.ts'
import { findActiveKey, insertSigningKey, listSigningKeys, lockSigningKeys } from '../signing-keys.ts'
import { numbers, unique } from './builders.ts'
import type { ContractSubject } from './contract-subject.ts'

export function testSigningKeys({ metadata }: ContractSubject): void {
  async function rotate(times: { now: number; verifyUntil: number }): Promise<string> {
    const kid = unique('key')
    await metadata().transact(async (tx) => {
      await lockSigningKeys(tx)
      await insertSigningKey(tx, { kid, publicKey: `public ${kid}`, privateKey: `private ${kid}`, ...times })
    })
    return kid
  }

  test('has one key that signs; the ones before it verify for a while', async () => {
    const first = await rotate({ now: 1_000, verifyUntil: 1_000 })
    expect(await findActiveKey(metadata().reader)).toEqual({ kid: first, privateKey: `private ${first}` })
    const second = await rotate({ now: 2_000, verifyUntil: 2_900 })
    expect(await findActiveKey(metadata().reader)).toEqual({ kid: second, privateKey: `private ${second}` })
    const active = {
      kid: second,
      state: 'active',
      publicKey: `public ${second}`,
      createdAt: 2_000,
      verifyUntil: undefined,
    }
    const retired = {
      kid: first,
      state: 'retired',
      publicKey: `public ${first}`,
      createdAt: 1_000,
      verifyUntil: 2_900,
    }
    expect(await listSigningKeys(metadata().reader, 2_899)).toEqual([active, retired])
    expect(await listSigningKeys(metadata().reader, 2_900)).toEqual([active])
    const third = await rotate({ now: 3_000, verifyUntil: 3_900 })
    expect((await listSigningKeys(metadata().reader, 0)).map((key) => key.kid)).toEqual([third, second])
  })
}

export function testLoginEvents({ metadata }: ContractSubject): void {
  function anEvent(changes: Partial<LoginEvent> = {}): LoginEvent {
    return {
      at: 1_000_000,
      accountId: 1,
      method: 'password',
      outcome: 'granted',
      address: '192.0.2.1',
      client: 'docker',
      ...changes,
    }
  }

  async function lastId(): Promise<number> {
    let last = 0
    for (;;) {
      const page = await listLoginEvents(metadata().reader, { after: last, limit: 1_000 })
      if (page.length === 0) return last
      last = page.at(-1)?.id ?? last
    }
  }

  test('keeps events in order, whatever their number', async () => {
    const after = await lastId()
    const events = numbers(250).map((index) =>
      anEvent({ at: 1_000_000 + index, accountId: undefined, client: undefined }),
    )
    await metadata().transact((tx) => insertLoginEvents(tx, [...events, anEvent({ client: 'a\0b' })]))
    const found = await listLoginEvents(metadata().reader, { after, limit: 1_000 })
    const expected = [...events, anEvent({ client: 'a\uFFFDb' })]
    expect(found).toEqual(expected.map((event) => ({ ...event, id: expect.any(Number) })))
    expect(await listLoginEvents(metadata().reader, { after, limit: 2 })).toEqual(found.slice(0, 2))
  })

  test('forgets the oldest, so many at a time', async () => {
    const after = await lastId()
    const events = numbers(5).map((index) => anEvent({ at: index }))
    await metadata().transact((tx) => insertLoginEvents(tx, events))
    const forget = () => metadata().transact((tx) => deleteLoginEvents(tx, { before: 4, limit: 3 }))
    expect(await forget()).toBe(3)
    expect(await forget()).toBe(1)
    expect(await forget()).toBe(0)
    expect(await listLoginEvents(metadata().reader, { after, limit: 10 })).toMatchObject([{ at: 4 }])
  })
}
