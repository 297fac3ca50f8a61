/**
 * Decides whether a database and a blob store belong together. Both have the same id from their first start on. To any other
 * database every blob of the store would look unused, so the start is refused before anything is written.
 */

/** The database's side of the pair. */
export interface DatabaseSide {
  /** A path, or the configuration key, for messages. Never a URL, because it may contain a password. */
  readonly place: string
  /** `undefined` before its first start. */
  readonly installationId: string | undefined
  readonly hasBlobs: boolean
}

export interface StoreSide {
  /** A path, for messages. */
  readonly place: string
  readonly installationId: string | undefined
  readonly isEmpty: boolean
}

/** `pair`: both have the id of the database, or receive it. `adopt`: the store receives the id even if it has a different one. */
export type Pairing = 'pair' | 'adopt'

/** The database and the store do not belong together. The message says what was found, why it is refused and what to do. */
export class StoreMismatchError extends Error {
  override readonly name = 'StoreMismatchError'
}

/** Throws `StoreMismatchError` unless the two belong together, are both new, or the operator asks for the adoption. */
export function judgePairing(database: DatabaseSide, store: StoreSide, adoptStore: boolean): Pairing {
  const isSame = database.installationId !== undefined && database.installationId === store.installationId
  if (isSame && !(database.hasBlobs && store.isEmpty)) return 'pair'
  const fault = findFault(database, store)
  if (fault === undefined) return 'pair'
  if (adoptStore) return 'adopt'
  throw new StoreMismatchError(`storage: ${fault}. Nothing was changed. ${adviceFor(database, store)}`)
}

function findFault(database: DatabaseSide, store: StoreSide): string | undefined {
  const isUnclaimed = store.isEmpty && store.installationId === undefined
  if (database.installationId === undefined) {
    if (isUnclaimed) return undefined
    return `the database ${database.place} is missing or empty, but the blob store ${store.place} ${describeStore(store)}`
  }
  const own = `the database ${database.place} belongs to installation ${database.installationId}`
  const isOwn = database.installationId === store.installationId
  if (!isUnclaimed && !isOwn) return `${own}, but the blob store ${store.place} ${describeStore(store)}`
  return database.hasBlobs ? `${own} and names blobs, but the blob store ${store.place} is empty` : undefined
}

function describeStore({ installationId, isEmpty }: StoreSide): string {
  if (installationId === undefined) return 'holds files without an installation id'
  return `belongs to installation ${installationId}${isEmpty ? '' : ' and holds files'}`
}

const adoption =
  'To let this database take over the store for good, start once with lading serve --adopt-store; the store then refuses its former database'

function adviceFor(database: DatabaseSide, { isEmpty, installationId }: StoreSide): string {
  if (database.installationId === undefined) {
    return `If the database is lost, restore it with lading restore --database-only; if it is elsewhere, set data or metadata.url to it. ${adoption}`
  }
  if (isEmpty && (installationId === undefined || installationId === database.installationId)) {
    return 'Mount the volume of the store, or set data to its folder. If the blobs are lost, move the database and the rest of the store away and restore both with lading restore; to continue without the blobs, start once with lading serve --adopt-store, clients must then push them again'
  }
  return `Set data and metadata.url to a database and a store that belong together, or restore a backup into an empty data folder with lading restore. ${adoption}`
}

/**
 * Throws `StoreMismatchError` unless the database fits a memory store. That store starts empty, so the database must name no
 * blobs and the folder must belong to no store.
 */
export function checkMemoryStore(database: DatabaseSide, folder: StoreSide): void {
  const isLasting = !folder.isEmpty || folder.installationId !== undefined
  if (!database.hasBlobs && !isLasting) return
  const fault = database.hasBlobs
    ? `the database ${database.place} names blobs that a store in memory does not have`
    : `the blob store ${folder.place} ${describeStore(folder)}, and a store in memory would hide it from its database`
  throw new StoreMismatchError(
    `storage.driver: ${fault}. Nothing was changed. Set storage.driver to filesystem, or give the registry in memory a data folder and a database of its own`,
  )
}
