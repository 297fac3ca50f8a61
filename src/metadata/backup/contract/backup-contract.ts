/** The contract of metadata backups: what they preserve from SQLite to another database and back. */
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { createTemporaryFolder } from '../../contract/temporary-folder.ts'
import type { Metadata } from '../../metadata.ts'
import { createRepository, pushManifest, aName, numbers } from '../../contract/builders.ts'
import { insertOrganization } from '../../owners/owners.ts'
import { prepareDraft, type RestoreDatabase } from '../restore-metadata.ts'
import { SnapshotFile } from '../snapshot-file.ts'
import { takeSnapshot } from '../take-snapshot.ts'
import { countTransient, longManifestBytes, openFilledDatabase, readEverything } from './filled-database.ts'

export interface EmptyDatabase extends AsyncDisposable {
  readonly restore: RestoreDatabase
  /** The database file, if there is one. */
  readonly file: string
  /** Opens the database after the restore; it is disposed with the database. */
  open(): Promise<Metadata>
}

const { signal } = new AbortController()

/** Runs the contract. `manifestBytes` is smaller for a driver that is slow with bytes. */
const restoredAt = 1_796_000_000_000

export function testRoundTrip(
  openEmpty: () => Promise<EmptyDatabase>,
  manifestBytes: number = longManifestBytes,
): void {
  test('keeps every row and every assigned row id, from SQLite and back', async () => {
    await using folder = await createTemporaryFolder()
    const [from, first, draft, second] = ['from.db', 'first.db', 'draft.db', 'second.db'].map((name) =>
      join(folder.path, name),
    )
    await using source = await openFilledDatabase(from!, manifestBytes)
    const common = { clock: systemClock, signal }
    await takeSnapshot({ ...common, metadata: source, file: from!, target: first! })
    await takeSnapshot({ ...common, metadata: source, file: from!, target: draft! })
    const kept = readEverything(first!)
    expect(kept).toEqual(readEverything(from!))
    expect(Object.entries(kept).filter(([, rows]) => rows.length === 0)).toEqual([])
    expect([countTransient(from!), countTransient(first!)]).toEqual([3, 0])

    await using database = await openEmpty()
    expect(await database.restore.readState()).toEqual({ isEmpty: true, installation: undefined })
    await prepareDraft(draft!, { now: () => restoredAt })
    await database.restore.install(draft!)
    expect(await database.restore.readState()).toEqual({ isEmpty: false, installation: 'filled' })
    const metadata = await database.open()
    await takeSnapshot({ ...common, metadata, file: database.file, target: second! })
    const nul = (text: string): string =>
      metadata.dialect === 'postgres' ? text.replace('\0', '\uFFFD') : text
    const expected = (kept['property'] as { value: string }[]).map((row) => ({
      ...row,
      value: nul(row.value),
    }))
    // A restored database judges only bytes that its store receives from then on.
    const installation = kept['installation']?.map((row) => ({
      ...(row as object),
      judges_since: restoredAt,
    }))
    expect(readEverything(second!)).toEqual({ ...kept, property: expected, installation })
    using snapshot = new SnapshotFile(second!)
    expect(snapshot.findFaults()).toEqual([])
  })
}

export function describeBackupContract(openEmpty: () => Promise<EmptyDatabase>): void {
  testRoundTrip(openEmpty)

  test('gives a new row an id above all assigned ones, and refuses a database with rows', async () => {
    await using folder = await createTemporaryFolder()
    const [from, draft] = [join(folder.path, 'from.db'), join(folder.path, 'draft.db')]
    await using source = await openFilledDatabase(from, longManifestBytes)
    const copy = { clock: systemClock, signal, metadata: source, file: from, target: draft }
    await takeSnapshot(copy)
    await using database = await openEmpty()
    await database.restore.install(draft)
    const metadata = await database.open()
    const owner = { name: 'newcomer', visibility: 'private', now: 1 } as const
    await metadata.transact((tx) => insertOrganization(tx, owner))
    const again = join(folder.path, 'again.db')
    await takeSnapshot({ ...copy, metadata, file: database.file, target: again })
    expect(readEverything(again)['owner']?.at(-1)).toMatchObject({ id: 78, name: 'newcomer' })
    await takeSnapshot({ ...copy, target: `${draft}-2` })
    await expect(database.restore.install(`${draft}-2`)).rejects.toThrow('another process filled')
  })

  test('shows one moment while others write', async () => {
    await using folder = await createTemporaryFolder()
    await using database = await openEmpty()
    await using metadata = await database.open()
    const stop = new AbortController()
    const write = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const repository = await createRepository(metadata, { name: aName() })
        await pushManifest(metadata, repository)
        // PGlite answers within one turn of the event loop, which would starve all other work.
        await nextTurn()
      }
    }
    for (const _ of numbers(20))
      await pushManifest(metadata, await createRepository(metadata, { name: aName() }))
    const writers = numbers(3).map(() => write())
    try {
      for (const round of numbers(3)) {
        const target = join(folder.path, `${round}.db`)
        await takeSnapshot({ metadata, file: database.file, target, clock: systemClock, signal })
        using snapshot = new SnapshotFile(target)
        expect(snapshot.findFaults()).toEqual([])
        const { repositories, manifests } = snapshot.count()
        // A repository and its manifest are two transactions of one writer.
        expect(repositories - manifests).toBeGreaterThanOrEqual(0)
        expect(repositories - manifests).toBeLessThanOrEqual(writers.length)
      }
    } finally {
      stop.abort()
      await Promise.allSettled(writers)
    }
    await Promise.all(writers)
  })
}
