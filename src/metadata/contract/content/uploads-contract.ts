import { describe, expect, test } from 'vitest'
import type { HashState, UploadRow } from '../../content/uploads.ts'
import {
  claimUpload,
  deleteExpiredUpload,
  deleteUpload,
  findUpload,
  finishUpload,
  insertUpload,
  listExpiredUploads,
  recordUpload,
} from '../../content/uploads.ts'
import type { Metadata } from '../../metadata.ts'
import {
  countUploads,
  endUnchangedUpload,
  findNextUploadExpiry,
  listForgottenUploads,
  lockHolder,
  type HeldUpload,
} from '../../content/upload-ceiling.ts'
import { aDigest, anUpload, numbers, unique } from '../builders.ts'
import type { ContractSubject } from '../contract-subject.ts'

async function createUpload(metadata: Metadata, changes: Partial<UploadRow> = {}): Promise<UploadRow> {
  const upload = anUpload(changes)
  await metadata.transact((tx) => insertUpload(tx, upload))
  return upload
}

export function testUploads({ metadata }: ContractSubject): void {
  const find = (id: string) => findUpload(metadata().reader, id)
  const claim = (id: string, writer: string, now = 10) =>
    metadata().transact((tx) => claimUpload(tx, { id, writer, now }))
  const hash: HashState = {
    algorithm: 'sha256',
    offset: 2 ** 33,
    digest: aDigest('hashed'),
    state: Uint8Array.of(0, 1, 255),
  }

  test('finds a session as it was inserted', async () => {
    const segments = [
      { generation: 0, size: 2 ** 33 },
      { generation: 3, size: 5 },
    ]
    const full = await createUpload(metadata(), {
      segments,
      offset: 2 ** 33 + 5,
      hash,
      writer: 'w',
      generation: 3,
    })
    const found = await find(full.id)
    expect(found).toEqual({ ...full, hash: { ...hash, state: expect.anything() } })
    expect(Uint8Array.from(found?.hash?.state ?? [])).toEqual(hash.state)
    const plain = await createUpload(metadata(), { hash: { ...hash, digest: undefined, state: undefined } })
    expect(await find(plain.id)).toEqual(plain)
    const empty = await createUpload(metadata())
    expect(await find(empty.id)).toEqual(empty)
    expect(await find(unique('upload'))).toBeUndefined()
  })

  test('counts the sessions of one holder, and none that has no holder', async () => {
    const holder = unique('holder')
    for (const _ of numbers(3)) await createUpload(metadata(), { holder })
    await createUpload(metadata(), { holder: undefined })
    expect(await countUploads(metadata().reader, holder)).toBe(3)
    expect(await countUploads(metadata().reader, unique('holder'))).toBe(0)
  })

  describe('sessions that make room below the ceiling', () => {
    const lives = { withBytesMs: 1_000, emptyMs: 100 }
    const now = 10_000
    const reservedPrefix = 'reserved/here/'
    const list = (holder: string, more: { after?: HeldUpload | undefined; limit?: number } = {}) =>
      listForgottenUploads(metadata().reader, { holder, lives, now, reservedPrefix, limit: 9, ...more })

    test('are empty without another writer, or expired, oldest first', async () => {
      const holder = unique('holder')
      const filled = { holder, offset: 1, segments: [{ generation: 0, size: 1 }] }
      const create = (changes: Partial<UploadRow>) => createUpload(metadata(), { holder, ...changes })
      const young = { touchedAt: now }
      const c = await create({ ...young, createdAt: 3 })
      const a = await create({ ...young, createdAt: 1, writer: `${reservedPrefix}1` })
      const b = await create({ createdAt: 2, touchedAt: now - 101, writer: 'foreign' })
      const d = await create({ ...filled, createdAt: 4, touchedAt: now - 1_001, writer: 'foreign' })
      await create({ ...young, createdAt: 0, writer: 'reserved/there/1' })
      await create({ ...young, createdAt: 0, writer: 'foreign' })
      await create({ ...filled, createdAt: 0, touchedAt: now - 1_000 })
      await createUpload(metadata(), { createdAt: 0 })
      const wanted = [a, b, c, d].map(({ id }) => id)
      const all = await list(holder)
      expect(all.map(({ id }) => id)).toEqual(wanted)
      const rest = await list(holder, { after: all[1], limit: 1 })
      expect(rest.map(({ id }) => id)).toEqual(wanted.slice(2, 3))
    })

    test('end once, and only if unchanged', async () => {
      const holder = unique('holder')
      const [claimed, ended] = [
        await createUpload(metadata(), { holder }),
        await createUpload(metadata(), { holder }),
      ]
      const seen = await list(holder)
      const end = async (id: string) => {
        const found = seen.find((one) => one.id === id)
        if (found === undefined) throw new Error('not listed')
        return metadata().transact((tx) => endUnchangedUpload(tx, found, now))
      }
      await claim(claimed.id, 'first')
      expect(await end(claimed.id)).toBe(false)
      expect(await end(ended.id)).toBe(true)
      expect(await end(ended.id)).toBe(false)
      expect(await claim(ended.id, 'late')).toBeUndefined()
    })

    test('show how long to wait: until the first session expires', async () => {
      const holder = unique('holder')
      const next = () => findNextUploadExpiry(metadata().reader, holder, lives)
      expect(await next()).toBeUndefined()
      await createUpload(metadata(), { holder, offset: 1, touchedAt: 500 })
      expect(await next()).toBe(1_500)
      await createUpload(metadata(), { holder, touchedAt: 1_350 })
      expect(await next()).toBe(1_450)
    })

    test('are counted by one transaction at a time', async () => {
      const holder = unique('holder')
      const start = async (): Promise<boolean> =>
        metadata().transact(async (tx) => {
          await lockHolder(tx, holder)
          if ((await countUploads(tx, holder)) >= 3) return false
          await insertUpload(tx, anUpload({ holder }))
          return true
        })
      const started = await Promise.all(numbers(12).map(start))
      expect(started.filter(Boolean)).toHaveLength(3)
    })
  })

  test('keeps the generation for the first writer and for the same one again', async () => {
    const { id } = await createUpload(metadata(), { generation: 4 })
    expect(await claim(id, 'first')).toMatchObject({ writer: 'first', generation: 4, touchedAt: 10 })
    expect(await claim(id, 'first')).toMatchObject({ writer: 'first', generation: 4 })
    expect(await claim(unique('upload'), 'first')).toBeUndefined()
  })

  test('fences a writer that another one has replaced', async () => {
    const { id } = await createUpload(metadata())
    await claim(id, 'first')
    const progress = { id, segments: [{ generation: 0, size: 5 }], offset: 5, hash, now: 11 }
    const record = (writer: string, generation: number, release = false) =>
      metadata().transact((tx) => recordUpload(tx, { ...progress, writer, generation, release }))
    expect(await record('first', 0)).toBe(true)
    const taken = await claim(id, 'second')
    expect(taken).toMatchObject({ writer: 'second', generation: 1, offset: 5, segments: progress.segments })
    expect(await record('first', 0)).toBe(false)
    expect(await record('second', 0)).toBe(false)
    const fence = { id, writer: 'first', generation: 0 }
    expect(await metadata().transact((tx) => finishUpload(tx, fence))).toBe(false)
    expect(await record('second', 1, true)).toBe(true)
    expect(await find(id)).toMatchObject({ writer: undefined, generation: 1, touchedAt: 11 })
  })

  test('keeps one segment across releases, and shows the committer if a writer has not released it', async () => {
    const { id } = await createUpload(metadata())
    const segments = [{ generation: 0, size: 5 }]
    const progress = { id, generation: 0, segments, offset: 5, hash: undefined, release: true, now: 11 }
    const release = (writer: string) => metadata().transact((tx) => recordUpload(tx, { ...progress, writer }))
    await claim(id, 'first')
    expect(await release('first')).toBe(true)
    // No write is in progress after a release, so many chunks from many processes stay one segment.
    expect(await claim(id, 'second')).toMatchObject({ writer: 'second', generation: 0, segments })
    // The second writer still has the segment open: its generation is not the committer's, so the bytes are copied.
    expect(await claim(id, 'committer')).toMatchObject({ writer: 'committer', generation: 1, segments })
    expect(await release('second')).toBe(false)
  })

  test('gives each of 20 racing writers its own generation', async () => {
    const { id } = await createUpload(metadata())
    const claims = await Promise.all(numbers(20).map((index) => claim(id, `writer-${index}`)))
    const generations = claims.map((row) => row?.generation ?? -1).toSorted((a, b) => a - b)
    expect(generations).toEqual(numbers(20))
  })

  test('ends a session for its writer once', async () => {
    const { id } = await createUpload(metadata())
    await claim(id, 'first')
    const fence = { id, writer: 'first', generation: 0 }
    const outcomes = await Promise.all(
      numbers(5).map(() => metadata().transact((tx) => finishUpload(tx, fence))),
    )
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect(await find(id)).toBeUndefined()
    const late = { ...fence, segments: [], offset: 0, hash: undefined, release: false, now: 12 }
    expect(await metadata().transact((tx) => recordUpload(tx, late))).toBe(false)
  })

  test('deletes a session, whichever writer it has, and returns it', async () => {
    const upload = await createUpload(metadata(), { writer: 'somebody' })
    expect(await metadata().transact((tx) => deleteUpload(tx, upload.id))).toEqual(upload)
    expect(await metadata().transact((tx) => deleteUpload(tx, upload.id))).toBeUndefined()
  })

  test('lists sessions that were not touched since, the longest idle first', async () => {
    const young = await createUpload(metadata(), { touchedAt: -10 })
    const old = await createUpload(metadata(), { touchedAt: -20 })
    const { reader } = metadata()
    const [first, second] = [old, young].map(({ id, storageKey }) => ({ id, storageKey }))
    expect(await listExpiredUploads(reader, { touchedBefore: -9, limit: 2 })).toEqual([first, second])
    expect(await listExpiredUploads(reader, { touchedBefore: -10, limit: 2 })).toEqual([first])
    const end = (touchedBefore: number) =>
      metadata().transact((tx) => deleteExpiredUpload(tx, { id: old.id, touchedBefore }))
    expect(await end(-20)).toBe(false)
    expect(await end(-19)).toBe(true)
    expect(await end(-19)).toBe(false)
    await metadata().transact(async (tx) => {
      await deleteUpload(tx, young.id)
      await deleteUpload(tx, old.id)
    })
  })

  test('lists and ends only sessions without a byte, if requested', async () => {
    const filled = await createUpload(metadata(), { touchedAt: -20, offset: 1 })
    const empty = await createUpload(metadata(), { touchedAt: -10 })
    const asked = { touchedBefore: 0, isEmpty: true, limit: 9 }
    const { id, storageKey } = empty
    expect(await listExpiredUploads(metadata().reader, asked)).toEqual([{ id, storageKey }])
    const end = (upload: UploadRow) =>
      metadata().transact((tx) => deleteExpiredUpload(tx, { ...asked, id: upload.id }))
    expect(await end(filled)).toBe(false)
    expect(await end(empty)).toBe(true)
    await metadata().transact((tx) => deleteUpload(tx, filled.id))
  })
}
