import { expect, test } from 'vitest'
import { insertBlob } from '../blobs.ts'
import { insertDeadKey, listDeadKeys, listUnknownKeys, removeDeadKey } from '../dead-keys.ts'
import { insertUpload } from '../uploads.ts'
import { aDigest, anUpload, numbers, unique } from './builders.ts'
import type { ContractSubject } from './contract-subject.ts'

export function testKeys({ metadata }: ContractSubject): void {
  test('lists dead keys oldest first, with their digest when they have one', async () => {
    const digest = aDigest()
    const young = { storageKey: unique('key'), digest }
    const old = { storageKey: unique('key'), digest: undefined }
    await metadata().transact(async (tx) => {
      await insertDeadKey(tx, { ...young, since: -1 })
      await insertDeadKey(tx, { ...old, since: -2 })
    })
    expect(await listDeadKeys(metadata().reader, { limit: 2 })).toEqual([old, young])
    expect(await listDeadKeys(metadata().reader, { limit: 1 })).toEqual([old])
    await metadata().transact(async (tx) => {
      await removeDeadKey(tx, young.storageKey)
      await removeDeadKey(tx, old.storageKey)
    })
    expect(await listDeadKeys(metadata().reader, { limit: 100 })).not.toContainEqual(old)
  })

  test('takes the same dead key twice and forgets one that is not there', async () => {
    const entry = { storageKey: unique('key'), digest: undefined, since: 1 }
    await metadata().transact((tx) => insertDeadKey(tx, entry))
    await metadata().transact((tx) => insertDeadKey(tx, entry))
    await metadata().transact((tx) => removeDeadKey(tx, entry.storageKey))
    await metadata().transact((tx) => removeDeadKey(tx, entry.storageKey))
    expect(await listUnknownKeys(metadata().reader, [entry.storageKey])).toEqual([entry.storageKey])
  })

  test('tells the keys that no row names from those of blobs, uploads and dead keys', async () => {
    const upload = anUpload()
    const blob = { digest: aDigest(), storageKey: unique('key'), size: 1, createdAt: 1 }
    const dead = { storageKey: unique('key'), digest: undefined, since: 1 }
    await metadata().transact(async (tx) => {
      await insertUpload(tx, upload)
      await insertBlob(tx, blob)
      await insertDeadKey(tx, dead)
    })
    const strangers = numbers(3_000).map(() => unique('key'))
    const keys = [upload.storageKey, ...strangers, blob.storageKey, dead.storageKey]
    expect(await listUnknownKeys(metadata().reader, keys)).toEqual(strangers)
    expect(await listUnknownKeys(metadata().reader, [])).toEqual([])
  })
}
