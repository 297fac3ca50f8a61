/** Tests which databases and stores belong together. */
import { describe, expect, test } from 'vitest'
import { checkMemoryStore, judgePairing, StoreMismatchError } from './pair-store.ts'

const database = (installationId: string | undefined, hasBlobs = false) => ({
  place: './data/lading.db',
  installationId,
  hasBlobs,
})
const store = (installationId: string | undefined, isEmpty: boolean) => ({
  place: './data/store',
  installationId,
  isEmpty,
})

describe('a database and a store', () => {
  test.each([
    ['both new', database(undefined), store(undefined, true)],
    ['a first start cut off before the file of the store', database('a'), store(undefined, true)],
    ['of one installation', database('a', true), store('a', false)],
    ['of one installation, without blobs so far', database('a'), store('a', true)],
  ])('are accepted: %s', (_, one, other) => {
    expect(judgePairing(one, other, false)).toBe('pair')
    expect(judgePairing(one, other, true)).toBe('pair')
  })

  test.each([
    ['a new database, a store with an id', database(undefined), store('b', true), 'is missing or empty'],
    [
      'a new database, a store with files',
      database(undefined),
      store(undefined, false),
      'without an installation id',
    ],
    [
      'a new database, a full store',
      database(undefined),
      store('b', false),
      'belongs to installation b and holds files',
    ],
    [
      'a database with blobs, an empty store',
      database('a', true),
      store(undefined, true),
      'Mount the volume',
    ],
    [
      'a database with blobs, an empty store of its own, as a mount point without its volume is',
      database('a', true),
      store('a', true),
      'names blobs, but the blob store ./data/store is empty. Nothing was changed. Mount the volume',
    ],
    ['a store whose id is lost', database('a', true), store(undefined, false), 'without an installation id'],
    [
      'two ids',
      database('a', true),
      store('b', false),
      'installation a, but the blob store ./data/store belongs to',
    ],
  ])('are refused unless the operator orders it: %s', (_, one, other, message) => {
    expect(() => judgePairing(one, other, false)).toThrow(StoreMismatchError)
    for (const part of [message, 'Nothing was changed', 'lading restore', 'lading serve --adopt-store'])
      expect(() => judgePairing(one, other, false)).toThrow(part)
    expect(judgePairing(one, other, true)).toBe('adopt')
  })
})

describe('a store in memory', () => {
  test.each([
    [database(undefined), store(undefined, true)],
    [database('a'), store(undefined, true)],
  ])('is accepted with a database that names no blob, beside no lasting store', (one, folder) => {
    expect(() => checkMemoryStore(one, folder)).not.toThrow()
  })

  test.each([
    [database('a', true), store(undefined, true), 'names blobs that a store in memory does not have'],
    [database('a'), store('a', true), 'would hide it from its database'],
    [database(undefined), store(undefined, false), 'would hide it from its database'],
  ])('is refused otherwise', (one, folder, message) => {
    expect(() => checkMemoryStore(one, folder)).toThrow(message)
    expect(() => checkMemoryStore(one, folder)).toThrow('Set storage.driver to filesystem')
  })
})
