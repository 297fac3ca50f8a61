import { expect, test } from 'vitest'
import type { HashState, UploadRow } from '../uploads.ts'
import {
  claimUpload,
  countUploads,
  deleteUpload,
  findUpload,
  finishUpload,
  insertUpload,
  listExpiredUploads,
  recordUpload,
} from '../uploads.ts'
import type { Metadata } from '../metadata.ts'
import { aDigest, anUpload, numbers, unique } from './builders.ts'
import type { ContractSubject } from './contract-subject.ts'

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

  test('counts the sessions of one principal', async () => {
    const principal = unique('principal')
    for (const _ of numbers(3)) await createUpload(metadata(), { principal })
    expect(await countUploads(metadata().reader, principal)).toBe(3)
    expect(await countUploads(metadata().reader, unique('principal'))).toBe(0)
  })

  test('keeps the generation for the first writer and for the same one again', async () => {
    const { id } = await createUpload(metadata(), { generation: 4 })
    expect(await claim(id, 'first')).toMatchObject({ writer: 'first', generation: 4, touchedAt: 10 })
    expect(await claim(id, 'first')).toMatchObject({ writer: 'first', generation: 4 })
    expect(await claim(unique('upload'), 'first')).toBeUndefined()
  })

  test('fences a writer that another one has displaced', async () => {
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

  test('lets a writer go on with the segment of one that released the session', async () => {
    const { id } = await createUpload(metadata())
    await claim(id, 'first')
    const progress = { id, writer: 'first', generation: 0, segments: [], offset: 0, hash: undefined, now: 11 }
    await metadata().transact((tx) => recordUpload(tx, { ...progress, release: true }))
    expect(await claim(id, 'second')).toMatchObject({ writer: 'second', generation: 0, hash: undefined })
  })

  test('gives each of 20 racing writers a generation of its own', async () => {
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

  test('deletes a session whoever writes it, and returns it', async () => {
    const upload = await createUpload(metadata(), { writer: 'somebody' })
    expect(await metadata().transact((tx) => deleteUpload(tx, upload.id))).toEqual(upload)
    expect(await metadata().transact((tx) => deleteUpload(tx, upload.id))).toBeUndefined()
  })

  test('lists sessions that nobody touched since, the longest untouched first', async () => {
    const young = await createUpload(metadata(), { touchedAt: -10 })
    const old = await createUpload(metadata(), { touchedAt: -20 })
    const { reader } = metadata()
    expect(await listExpiredUploads(reader, { touchedBefore: -9, limit: 2 })).toEqual([old.id, young.id])
    expect(await listExpiredUploads(reader, { touchedBefore: -10, limit: 2 })).toEqual([old.id])
    await metadata().transact(async (tx) => {
      await deleteUpload(tx, young.id)
      await deleteUpload(tx, old.id)
    })
  })
}
