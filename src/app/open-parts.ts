/**
 * Opens the database and the blob store of a registry, after inspecting both: a pair that does not belong together is refused
 * before a file or a row is written.
 */
import { operator } from '../identity/actor.ts'
import type { BlobStore } from '../blob-store/blob-store.ts'
import { peekFilesystemStore } from '../blob-store/filesystem/peek-store.ts'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { systemUser } from '../lib/system-user.ts'
import { refuseUnfinishedRestore } from '../lifecycle/backup/restore-marker.ts'
import { findJudgementStart } from '../lifecycle/judgement.ts'
import { hasBlobs } from '../metadata/content/blobs.ts'
import { isNewSqliteFile } from '../metadata/dialects/sqlite/files/files.ts'
import type { Reader } from '../metadata/handles.ts'
import { ensureInstallation, findInstallation, setJudgesSince } from '../metadata/system/installation.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { readMigrationState } from '../metadata/migrations/migrate.ts'
import type { Logger } from '../telemetry/logger.ts'
import { databaseFile, storeFolder } from './data-folder.ts'
import { openAudit } from './open-audit.ts'
import { openMetadata } from './open-metadata.ts'
import { openStore } from './open-store.ts'
import {
  checkMemoryStore,
  judgePairing,
  StoreMismatchError,
  type DatabaseSide,
  type Pairing,
  type StoreSide,
} from './pair-store.ts'

export interface OpenPartsDeps {
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
  /** See `OpenMetadataDeps`. */
  readonly onFatal: (error: Error) => void
  /** Whether the operator wants to take over a store that belongs to another database, or to none. */
  readonly adoptStore: boolean
  /** Called for a new database before anything is created; if it throws, the start stops. */
  readonly checkFirstStart: () => void
}

export interface OpenParts extends AsyncDisposable {
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly installationId: string
}

/** Throws `StoreMismatchError`, and the errors of opening the database or the store. */
export async function openParts(config: Config, deps: OpenPartsDeps): Promise<OpenParts> {
  const { clock, logger, onFatal } = deps
  await using stack = new AsyncDisposableStack()
  let pairing: Pairing = 'pair'
  const judge = async (read: () => Promise<FoundDatabase | undefined>): Promise<void> => {
    pairing = (await judgeSides(config, read, deps)) ?? pairing
  }
  // A missing database file is created only once it is clear that it may be new.
  await judge(async () => ((await isNewDatabaseFile(config)) ? newDatabase : undefined))
  const store = stack.use(await openStore(config, deps))
  const inspect = (db: Reader): Promise<void> => judge(() => readDatabase(db))
  const metadata = stack.use(await openMetadata(config, { clock, logger, inspect, onFatal }))
  const installationId = await pair({ metadata, store }, pairing, deps)
  metadata.expectInstallation(installationId)
  const resources = stack.move()
  return { metadata, store, installationId, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** The state of a database before it is opened. */
export type FoundDatabase = Omit<DatabaseSide, 'place'>

export const newDatabase: FoundDatabase = { installationId: undefined, hasBlobs: false }

async function judgeSides(
  config: Config,
  read: () => Promise<FoundDatabase | undefined>,
  { adoptStore, checkFirstStart }: OpenPartsDeps,
): Promise<Pairing | undefined> {
  // Read the store first: another starting process writes its row before the store's file, so if the file is visible here, so is
  // its row.
  const store = await lookAtStore(config)
  const found = await read()
  if (found === undefined) return undefined
  const pairing = judgeFound(config, { found, store }, adoptStore)
  if (found.installationId === undefined) checkFirstStart()
  return pairing
}

/**
 * Reads the state of the store; creates nothing. A memory store has a folder too: the one that it would hide. Throws
 * `UnfinishedRestoreError`.
 */
export async function lookAtStore(config: Config): Promise<StoreSide> {
  const place = storeFolder(config)
  const side = { place, ...(await peekFilesystemStore(place)) }
  refuseUnfinishedRestore(side.installationId)
  return side
}

/** Throws `StoreMismatchError`. Changes nothing. */
export function judgeFound(
  config: Config,
  sides: { readonly found: FoundDatabase; readonly store: StoreSide },
  adoptStore: boolean,
): Pairing {
  const database = { ...sides.found, place: placeOf(config) }
  if (config.storage.driver !== 'memory') return judgePairing(database, sides.store, adoptStore)
  checkMemoryStore(database, sides.store)
  return 'pair'
}

async function isNewDatabaseFile(config: Config): Promise<boolean> {
  return config.metadata.driver === 'sqlite' && (await isNewSqliteFile(databaseFile(config)))
}

function placeOf(config: Config): string {
  return config.metadata.driver === 'sqlite' ? databaseFile(config) : 'of metadata.url'
}

/** Reads the state of a database; one that was never opened has no tables. */
export async function readDatabase(db: Reader): Promise<FoundDatabase> {
  const { applied } = await readMigrationState(db)
  if (applied.length === 0) return newDatabase
  return { installationId: await findInstallation(db), hasBlobs: await hasBlobs(db) }
}

/** Writes the id to the database first, then to the store: the next start completes a pair that a crash left half done. */
async function pair(
  { metadata, store }: Pick<OpenParts, 'metadata' | 'store'>,
  pairing: Pairing,
  { clock, ids, logger, adoptStore }: OpenPartsDeps,
): Promise<string> {
  const id = await metadata.transact((tx) =>
    ensureInstallation(tx, { id: ids.storageKey(), now: clock.now() }),
  )
  const former = await store.readInstallationId()
  if (former === id && pairing !== 'adopt') {
    if (adoptStore)
      logger.warn({ installation: id }, 'the store already belongs to this database; remove --adopt-store')
    return id
  }
  // Another database may have claimed the store since it was inspected.
  if (former !== undefined && pairing !== 'adopt') {
    refuseUnfinishedRestore(former)
    throw new StoreMismatchError(
      `storage: another start gave the blob store to installation ${former} while this one opened the database of installation ${id}. Start again: the next message says which of them belong together`,
    )
  }
  if (pairing === 'adopt') {
    await recordAdoption({ metadata, store }, former, { clock, logger })
    logger.warn(
      { installation: id, former },
      former === id
        ? 'this database keeps its empty store; clients must push its blobs again'
        : 'this database takes over the store; the former database is refused from now on',
    )
  }
  await store.writeInstallationId(id)
  return id
}

/**
 * Records the adoption in the audit and in the database: the present bytes of the store may belong to rows of another database,
 * so this one must not judge them.
 */
async function recordAdoption(
  { metadata, store }: Pick<OpenParts, 'metadata' | 'store'>,
  former: string | undefined,
  { clock, logger }: Pick<OpenPartsDeps, 'clock' | 'logger'>,
): Promise<void> {
  const onError = (err: unknown): void =>
    logger.error({ err }, 'the adoption of the store could not be recorded')
  await using audit = openAudit({ metadata, clock, onError })
  const judgesSince = await findJudgementStart(store, clock.now())
  await metadata.transact(async (tx) => {
    await setJudgesSince(tx, judgesSince)
    const detail = { formerInstallation: former ?? null }
    await audit.change(tx, operator(systemUser()), { action: 'store.adopt', outcome: 'done', detail })
  })
}
