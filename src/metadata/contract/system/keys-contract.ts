import { expect, test } from 'vitest'
import { insertBlob } from '../../content/blobs.ts'
import {
  countDeadKeys,
  findOldestDeadKey,
  insertDeadKey,
  insertUnusedKey,
  listDueDeadKeys,
  listUnknownKeys,
  postponeDeadKeys,
  removeDeadKeys,
} from '../../content/dead-keys.ts'
import { listDeadKeys } from '../list-dead-keys.ts'
import { insertUpload } from '../../content/uploads.ts'
import { aDigest, anUpload, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

const withoutDigest = (storageKey: string) => ({ storageKey, digest: undefined })

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
    await metadata().transact((tx) => removeDeadKeys(tx, [young, old]))
    expect(await listDeadKeys(metadata().reader, { limit: 100 })).not.toContainEqual(old)
  })

  test('accepts the same dead key twice, and ignores the removal of a missing one', async () => {
    const entry = { storageKey: unique('key'), digest: undefined, since: 1 }
    await metadata().transact((tx) => insertDeadKey(tx, entry))
    await metadata().transact((tx) => insertDeadKey(tx, entry))
    await metadata().transact((tx) => removeDeadKeys(tx, [entry]))
    await metadata().transact((tx) => removeDeadKeys(tx, [entry]))
    await metadata().transact((tx) => removeDeadKeys(tx, []))
    expect(await listUnknownKeys(metadata().reader, [entry.storageKey])).toEqual([entry.storageKey])
  })

  test('adds the digest to a dead key, and keeps the key when only its segments were removed', async () => {
    const { reader } = metadata()
    const [digest, other] = [aDigest(), aDigest()]
    const storageKey = unique('key')
    for (const learned of [undefined, digest, other, undefined])
      await metadata().transact((tx) => insertDeadKey(tx, { storageKey, digest: learned, since: -5 }))
    await metadata().transact((tx) => removeDeadKeys(tx, [withoutDigest(storageKey)]))
    expect(await listDeadKeys(reader, { limit: 1 })).toEqual([{ storageKey, digest }])
    await metadata().transact((tx) => removeDeadKeys(tx, [{ storageKey, digest }]))
    expect(await listUnknownKeys(reader, [storageKey])).toEqual([storageKey])
  })

  test('makes only keys dead that no blob or upload has', async () => {
    const upload = anUpload()
    const blob = { digest: aDigest(), storageKey: unique('key'), size: 1, createdAt: 1 }
    const unused = unique('key')
    const made = await metadata().transact(async (tx) => {
      await insertUpload(tx, upload)
      await insertBlob(tx, blob)
      const results: boolean[] = []
      for (const storageKey of [upload.storageKey, blob.storageKey, unused])
        results.push(await insertUnusedKey(tx, { storageKey, digest: blob.digest, since: -5 }))
      return results
    })
    expect(made).toEqual([false, false, true])
    expect(await listDeadKeys(metadata().reader, { limit: 1 })).toEqual([
      { storageKey: unused, digest: blob.digest },
    ])
    await metadata().transact((tx) => removeDeadKeys(tx, [{ storageKey: unused, digest: blob.digest }]))
  })

  test('postpones a dead key twice as long after each failure, at most an hour', async () => {
    const { reader } = metadata()
    const key = unique('key')
    const find = async (now: number) =>
      (await listDueDeadKeys(reader, { now, limit: 100_000 })).find(({ storageKey }) => storageKey === key)
    await metadata().transact((tx) => insertDeadKey(tx, { storageKey: key, digest: undefined, since: 1 }))
    expect(await find(0)).toMatchObject({ attempts: 0, isNamed: false })
    const pauses = [1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * 60_000)
    for (const [index, pauseMs] of pauses.entries()) {
      const due = await find(10_000_000)
      expect(due?.attempts).toBe(index)
      await metadata().transact((tx) => postponeDeadKeys(tx, [due!], 0))
      expect(await find(pauseMs - 1)).toBeUndefined()
      expect(await find(pauseMs)).toBeDefined()
    }
    // The clock was a day ahead when the key was postponed, and has been corrected.
    expect(await find(-86_400_000)).toBeDefined()
    await metadata().transact((tx) => removeDeadKeys(tx, [withoutDigest(key)]))
  })

  test('lists waiting dead keys after the others', async () => {
    const [failed, fresh] = [unique('key'), unique('key')]
    await metadata().transact(async (tx) => {
      await insertDeadKey(tx, { storageKey: failed, digest: undefined, since: -9 })
      await insertDeadKey(tx, { storageKey: fresh, digest: undefined, since: -8 })
      await postponeDeadKeys(tx, [{ storageKey: failed, attempts: 0 }], 0)
    })
    const due = await listDueDeadKeys(metadata().reader, { now: 60_000, limit: 100_000 })
    const keys = due.map(({ storageKey }) => storageKey)
    expect(keys.indexOf(fresh)).toBeGreaterThanOrEqual(0)
    expect(keys.indexOf(failed)).toBeGreaterThan(keys.indexOf(fresh))
    await metadata().transact((tx) => removeDeadKeys(tx, [failed, fresh].map(withoutDigest)))
  })

  test('marks a dead key that a blob or an upload has', async () => {
    const upload = anUpload()
    const blob = { digest: aDigest(), storageKey: unique('key'), size: 1, createdAt: 1 }
    const named = [upload.storageKey, blob.storageKey]
    await metadata().transact(async (tx) => {
      await insertUpload(tx, upload)
      await insertBlob(tx, blob)
      for (const storageKey of named) await insertDeadKey(tx, { storageKey, digest: undefined, since: 1 })
    })
    const due = await listDueDeadKeys(metadata().reader, { now: 0, limit: 100_000 })
    for (const storageKey of named)
      expect(due).toContainEqual(expect.objectContaining({ storageKey, isNamed: true }))
    await metadata().transact((tx) => removeDeadKeys(tx, named.map(withoutDigest)))
  })

  test('counts the dead keys and finds the oldest', async () => {
    const { reader } = metadata()
    const before = await countDeadKeys(reader)
    const keys = [unique('key'), unique('key')]
    await metadata().transact(async (tx) => {
      for (const [index, storageKey] of keys.entries())
        await insertDeadKey(tx, { storageKey, digest: undefined, since: -99 + index })
    })
    expect(await countDeadKeys(reader)).toBe(before + 2)
    expect(await findOldestDeadKey(reader)).toBe(-99)
    await metadata().transact((tx) => removeDeadKeys(tx, keys.map(withoutDigest)))
    expect(await countDeadKeys(reader)).toBe(before)
  })

  test('distinguishes unknown keys from keys of blobs, uploads and dead keys', async () => {
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
