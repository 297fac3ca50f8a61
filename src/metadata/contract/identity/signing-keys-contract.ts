import { expect, test } from 'vitest'
import {
  findActiveKey,
  insertSigningKey,
  listSigningKeys,
  lockSigningKeys,
} from '../../identity/signing-keys.ts'
import { unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

export function testSigningKeys({ metadata }: ContractSubject): void {
  async function rotate(times: { now: number; verifyUntil: number }): Promise<string> {
    const kid = unique('key')
    await metadata().transact(async (tx) => {
      await lockSigningKeys(tx)
      await insertSigningKey(tx, { kid, publicKey: `public ${kid}`, privateKey: `private ${kid}`, ...times })
    })
    return kid
  }

  test('has one active key; former ones verify for a while', async () => {
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
