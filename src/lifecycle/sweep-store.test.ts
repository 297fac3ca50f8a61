/** Tests what the sweep moves aside, what it leaves alone, and what stops it. */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodyOf, caller, openRegistry, type OpenRegistry } from '../../test/support/parts/open-registry.ts'
import type { StoredBlob } from '../blob-store/blob-store.ts'
import { FailingBlobStore } from '../blob-store/contract/failing-blob-store.ts'
import { putBlob, writeSegment } from '../blob-store/contract/support.ts'
import { findBlob, insertBlob } from '../metadata/content/blobs.ts'
import { insertDeadKey } from '../metadata/content/dead-keys.ts'
import { acceptStore, setJudgesSince } from '../metadata/system/installation.ts'
import { digestBytes } from '../oci/digest.ts'
import { parseRepositoryName } from '../oci/repository-name.ts'
import type { SweepReport } from './sweep-report.ts'
import { sweepStore } from './sweep-store.ts'

const repository = parseRepositoryName('acme/web')
const { signal } = new AbortController()
const hourMs = 3_600_000
const dayMs = 24 * hourMs

async function pushBlobs(open: OpenRegistry, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const bytes = randomBytes(100)
    const digest = digestBytes(bytes)
    await open.registry.uploads.push({ repository, caller, digest, body: bodyOf([bytes]), signal })
  }
}

/** Stores blobs that no row names, as after the loss of a database or with a foreign one. */
async function putUnknown(open: OpenRegistry, count: number): Promise<StoredBlob[]> {
  const stored: StoredBlob[] = []
  for (let index = 0; index < count; index++) stored.push(await putBlob(open.store, randomBytes(100)))
  return stored
}

/** Runs the sweep; returns the figures of its report by name. */
async function sweep(open: OpenRegistry, store = open.store) {
  let report: SweepReport | undefined
  const onSweep = (made: SweepReport): void => void (report = made)
  const keys = await sweepStore({ ...open, store, onSweep }, dayMs, signal)
  const figures = Object.entries(report ?? {}).map(
    ([name, { entries }]) => [name, entries as number] as const,
  )
  return { keys, ...(Object.fromEntries(figures) as Record<keyof SweepReport, number>) }
}

const listed = async (open: OpenRegistry) => (await Array.fromAsync(open.store.list())).map(({ key }) => key)
const aside = async (open: OpenRegistry) =>
  (await Array.fromAsync(open.store.listAside())).map(({ key }) => key)
const warnings = ({ logged }: OpenRegistry) => logged.filter(({ level }) => level === 'warn')

describe('the sweep', () => {
  test('moves unknown bytes aside, names them in the log, and deletes them after seven days', async () => {
    await using open = await openRegistry()
    await pushBlobs(open, 1)
    const [lost] = await putUnknown(open, 1)
    const upload = 'a'.repeat(32)
    await writeSegment(open.store, upload, { generation: 0, text: 'unfinished' })
    open.clock.advance(dayMs + 1)
    expect(await sweep(open)).toMatchObject({ keys: 2, total: 3, moved: 2, aside: 2 })
    expect(await listed(open)).toHaveLength(1)
    expect((await aside(open)).sort()).toEqual([upload, lost!.key].sort())
    expect(warnings(open)).toMatchObject([
      { entries: 2, bytes: 110, names: [`${lost!.key} ${lost!.digest}`, upload] },
    ])
    open.clock.advance(6 * dayMs)
    expect(await sweep(open)).toMatchObject({ moved: 0, deleted: 0, aside: 2 })
    open.clock.advance(2 * dayMs)
    expect(await sweep(open)).toMatchObject({ moved: 0, deleted: 2, aside: 0 })
    expect(await aside(open)).toEqual([])
  })

  test('moves an entry back that a row names after all, also when its seven days are over', async () => {
    await using open = await openRegistry()
    const [blob, other] = await putUnknown(open, 2)
    open.clock.advance(dayMs + 1)
    expect(await sweep(open)).toMatchObject({ moved: 2 })
    await open.metadata.transact(async (tx) => {
      await insertBlob(tx, { ...blob!, storageKey: blob!.key, size: 100, createdAt: 1 })
      await insertDeadKey(tx, { storageKey: other!.key, digest: other!.digest, since: 1 })
    })
    open.clock.advance(30 * dayMs)
    expect(await sweep(open)).toMatchObject({ restored: 1, deleted: 1, aside: 0 })
    expect(await listed(open)).toEqual([blob!.key])
    expect(await findBlob(open.metadata.reader, blob!.digest)).toBeDefined()
  })

  test('leaves bytes alone that are older than the database, and logs it', async () => {
    await using open = await openRegistry()
    await pushBlobs(open, 1)
    await putUnknown(open, 3)
    open.clock.advance(1)
    await open.metadata.transact((tx) => setJudgesSince(tx, open.clock.now()))
    const [young] = await putUnknown(open, 1)
    open.clock.advance(30 * dayMs)
    expect(await sweep(open)).toMatchObject({ keys: 1, unjudged: 3, moved: 1 })
    expect(await aside(open)).toEqual([young!.key])
    expect(warnings(open)).toMatchObject([
      { entries: 1 },
      { entries: 3, msg: expect.stringContaining('lading gc --accept-store') },
    ])
  })

  test('deletes no entry that was set aside and is older than the database', async () => {
    await using open = await openRegistry()
    const [lost] = await putUnknown(open, 1)
    open.clock.advance(dayMs + 1)
    expect(await sweep(open)).toMatchObject({ moved: 1 })
    await open.metadata.transact((tx) => setJudgesSince(tx, open.clock.now()))
    open.clock.advance(30 * dayMs)
    expect(await sweep(open)).toMatchObject({ deleted: 0, aside: 1 })
    expect(await aside(open)).toEqual([lost!.key])
  })

  test('moves nothing in a store that another database has taken over', async () => {
    await using open = await openRegistry()
    await open.store.writeInstallationId('installation-2')
    const [other] = await putUnknown(open, 1)
    open.clock.advance(dayMs + 1)
    await expect(sweep(open)).rejects.toThrow('belongs to installation installation-2')
    await open.store.writeInstallationId('installation-1')
    expect(await listed(open)).toEqual([other!.key])
    expect(await sweep(open)).toMatchObject({ moved: 1 })
    await open.store.writeInstallationId('installation-2')
    open.clock.advance(9 * dayMs)
    await expect(sweep(open)).rejects.toThrow('belongs to installation installation-2')
    expect(await aside(open)).toEqual([other!.key])
  })

  test('judges nothing with a database that never completed a start', async () => {
    await using open = await openRegistry({ installation: 'none' })
    const lost = await putUnknown(open, 1)
    open.clock.advance(30 * dayMs)
    expect((await sweep(open)).keys).toBe(0)
    expect(await listed(open)).toEqual([lost[0]!.key])
  })

  test('stops before it moves more than a tenth of the store, until the operator accepts it', async () => {
    await using open = await openRegistry()
    await pushBlobs(open, 9)
    const lost = await putUnknown(open, 21)
    open.clock.advance(dayMs + 1)
    expect(await sweep(open)).toMatchObject({ keys: 0, total: 30, refused: 21, moved: 0 })
    expect(await listed(open)).toHaveLength(30)
    expect(warnings(open)).toMatchObject([
      { entries: 21, msg: expect.stringContaining('lading gc --accept-store') },
    ])
    await open.metadata.transact((tx) => acceptStore(tx, open.clock.now()))
    expect(await sweep(open)).toMatchObject({ keys: 21, refused: 0, moved: 21 })
    expect((await aside(open)).sort()).toEqual(lost.map(({ key }) => key).sort())
    expect(await listed(open)).toHaveLength(9)
  })

  test('stops for a tenth of the bytes, too', async () => {
    await using open = await openRegistry()
    for (let index = 0; index < 21; index++) await putBlob(open.store, randomBytes(50_000))
    await pushBlobs(open, 250)
    open.clock.advance(dayMs + 1)
    expect(await sweep(open)).toMatchObject({ total: 271, refused: 21, moved: 0 })
  })

  test('moves a small share of a large store at once', async () => {
    await using open = await openRegistry()
    await pushBlobs(open, 250)
    await putUnknown(open, 21)
    open.clock.advance(dayMs + 1)
    expect(await sweep(open)).toMatchObject({ total: 271, refused: 0, moved: 21 })
  })

  test('accepts old bytes, not later ones', async () => {
    await using open = await openRegistry()
    await putUnknown(open, 2)
    await open.metadata.transact((tx) => acceptStore(tx, open.clock.now()))
    open.clock.advance(1)
    await putUnknown(open, 21)
    open.clock.advance(dayMs + 1)
    expect(await sweep(open)).toMatchObject({ moved: 2, refused: 21 })
  })

  test('passes over bytes that cannot be moved', async () => {
    await using open = await openRegistry()
    const [stuck, free] = await putUnknown(open, 2)
    const store = new FailingBlobStore(open.store, ({ operation, key }) =>
      operation === 'setAside' && key === stuck!.key
        ? { kind: 'fail', error: new Error('a broken file') }
        : undefined,
    )
    open.clock.advance(dayMs + 1)
    expect(await sweep(open, store)).toMatchObject({ keys: 1, moved: 1 })
    expect(await aside(open)).toEqual([free!.key])
    expect(open.logged.filter(({ level }) => level === 'error')).toMatchObject([
      { key: stuck!.key, count: 1 },
    ])
  })

  test('passes over entries aside that cannot be deleted', async () => {
    await using open = await openRegistry()
    const [stuck] = await putUnknown(open, 2)
    open.clock.advance(dayMs + 1)
    await sweep(open)
    const store = new FailingBlobStore(open.store, ({ operation, key }) =>
      operation === 'deleteAside' && key === stuck!.key
        ? { kind: 'fail', error: new Error('a broken file') }
        : undefined,
    )
    open.clock.advance(9 * dayMs)
    expect(await sweep(open, store)).toMatchObject({ deleted: 1, aside: 1 })
    expect(await aside(open)).toEqual([stuck!.key])
  })
})
