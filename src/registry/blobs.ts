/**
 * The blobs of a repository: visible only through the repository's own links, regardless of the content of other repositories. A
 * read is one query, then the bytes; reads write nothing.
 */
import { Turns } from '../lib/turns/turns.ts'
import { BlobMissing } from '../blob-store/errors.ts'
import type { BlobReader, BlobStore, ByteRange, ByteSink } from '../blob-store/blob-store.ts'
import type { Clock } from '../lib/clock.ts'
import type { AuditTrail } from '../metadata/audit/audit-trail.ts'
import {
  findBlob,
  findBlobUser,
  findLinkedBlob,
  linkBlob,
  pinBlob,
  unlinkBlob,
} from '../metadata/content/blobs.ts'
import type { BlobLocation } from '../metadata/content/blobs.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { findMountSource, isMountSource } from '../metadata/content/mount-sources.ts'
import { findRepository } from '../metadata/repositories/repositories.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/repository-name.ts'
import { includesAction } from '../access/scope.ts'
import type { Scope } from '../access/scope.ts'
import type { BlobHealth } from './blob-health.ts'
import { partyOfCaller } from './caller.ts'
import type { Caller, RegistryPolicy } from './caller.ts'
import { BlobDamagedError, BlobInUseError, BlobUnknownError, DeleteDisabledError } from './errors.ts'
import { openRepository } from './push-rights.ts'
import { recordChanges } from './record-changes.ts'

export type { ByteRange, ByteSink }

export interface OpenBlob extends AsyncDisposable {
  readonly digest: Digest
  readonly size: number
  /** The whole content if it is in memory: send it in one write. */
  readonly bytes: Uint8Array | undefined
  copyTo: BlobReader['copyTo']
}

export interface MountRequest {
  readonly repository: RepositoryName
  readonly digest: Digest
  /** Absent: any repository that the caller may pull from. */
  readonly from?: RepositoryName | undefined
  readonly caller: Caller
}

export interface Blobs {
  /** Throws `BlobUnknownError`. */
  stat(repository: RepositoryName, digest: Digest): Promise<{ digest: Digest; size: number }>
  /** Throws `BlobUnknownError`; dispose the result. */
  open(repository: RepositoryName, digest: Digest): Promise<OpenBlob>
  /** Removes the blob from this repository. Throws `BlobUnknownError`, `BlobInUseError`, `DeleteDisabledError`. */
  delete(repository: RepositoryName, digest: Digest, caller: Caller): Promise<void>
  /** Makes a blob of another repository visible here. Returns `false` when no repository that the caller may pull from has it. */
  mount(request: MountRequest): Promise<boolean>
}

export interface BlobDeps {
  readonly health: BlobHealth
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: Clock
  readonly policy: RegistryPolicy
  readonly audit: AuditTrail
  readonly deleteEnabled: boolean
}

/** Matches no repository. The query still runs with it, so that the response time reveals nothing to a narrow token. */
const nothing = { all: false, public: false, owner: undefined } as const

export function createBlobs(deps: BlobDeps): Blobs {
  const { metadata } = deps
  return {
    async stat(repository, digest) {
      const inspected = await deps.health.inspect(() => findLinkedBlob(metadata.reader, repository, digest))
      if (inspected === undefined) throw new BlobUnknownError({ repository, digest })
      if (!inspected.isIntact) throw new BlobDamagedError({ repository, digest })
      return { digest, size: inspected.location.size }
    },
    async open(repository, digest) {
      const { reader, location } = await openReader(deps, repository, digest)
      return {
        digest,
        size: reader.size,
        bytes: reader.bytes,
        copyTo: (sink, options) =>
          copyReported(deps, { reader, location }, () => reader.copyTo(sink, options)),
        [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
      }
    },
    delete: (repository, digest, caller) => deleteBlob(deps, { repository, digest }, caller),
    mount: (request) => mountBlob(deps, request),
  }
}

async function getLocation(
  metadata: Metadata,
  repository: RepositoryName,
  digest: Digest,
): Promise<BlobLocation> {
  const location = await findLinkedBlob(metadata.reader, repository, digest)
  if (location === undefined) throw new BlobUnknownError({ repository, digest })
  return location
}

interface OpenedBlob {
  readonly reader: BlobReader
  readonly location: BlobLocation
}

/** Between the query and the open, the bytes may be collected and pushed again under another key: then the row is read again. */
async function openReader(
  { metadata, store, health }: BlobDeps,
  repository: RepositoryName,
  digest: Digest,
): Promise<OpenedBlob> {
  const location = await getLocation(metadata, repository, digest)
  const reader = await openWhole(store, location)
  if (reader !== undefined) return { reader, location }
  const find = (): Promise<BlobLocation | undefined> => findLinkedBlob(metadata.reader, repository, digest)
  const inspected = await health.inspect(find, location)
  if (inspected === undefined) throw new BlobUnknownError({ repository, digest })
  // Intact after all: the blob was replaced, or a cache held the size of a damaged file.
  const again = inspected.isIntact ? await openWhole(store, inspected.location) : undefined
  if (again === undefined) throw new BlobDamagedError({ repository, digest })
  return { reader: again, location: inspected.location }
}

/** Returns `undefined` when the bytes are missing or incomplete: a part must not be served as the blob. */
async function openWhole(
  store: BlobStore,
  { storageKey, digest, size }: BlobLocation,
): Promise<BlobReader | undefined> {
  try {
    const reader = await store.open({ key: storageKey, digest })
    if (reader.size === size) return reader
    await reader[Symbol.asyncDispose]()
  } catch (error) {
    if (!(error instanceof BlobMissing)) throw error
  }
  return undefined
}

/** Copies the blob and reports a file that ends early. The reply has already started, so it can only be cut off. */
async function copyReported(
  { health }: BlobDeps,
  { location: { digest, storageKey, size } }: OpenedBlob,
  copy: () => Promise<void>,
): Promise<void> {
  try {
    await copy()
  } catch (error) {
    if (error instanceof BlobMissing) {
      health.report({ kind: 'blob', digest, storageKey, expectedBytes: size, foundBytes: undefined })
    }
    throw error
  }
}

async function deleteBlob(
  deps: BlobDeps,
  blob: { repository: RepositoryName; digest: Digest },
  caller: Caller,
): Promise<void> {
  if (!deps.deleteEnabled) throw new DeleteDisabledError()
  await deps.metadata.transact(async (tx) => {
    const repository = await findRepository(tx, blob.repository)
    if (repository === undefined) throw new BlobUnknownError(blob)
    const link = { repositoryId: repository.id, digest: blob.digest }
    const manifest = await findBlobUser(tx, link)
    if (manifest !== undefined) throw new BlobInUseError({ ...blob, manifest })
    if (!(await unlinkBlob(tx, link))) throw new BlobUnknownError(blob)
    await recordChanges(deps, tx, {
      repository: blob.repository,
      caller,
      changes: [{ kind: 'blob.delete', before: blob.digest }],
    })
  })
}

/**
 * Takes the same time and gives the same answer for "exists but forbidden" and "does not exist"; see `mount-sources.ts`. A bearer
 * token reaches only repositories that its scopes name: no other `from`, and without `from` also public repositories (B1).
 */
async function mountBlob(deps: BlobDeps, request: MountRequest): Promise<boolean> {
  const { repository, digest, from, caller } = request
  const { principal } = caller
  const reaches = from === undefined || includesAction(principal.scopes, from, 'pull')
  const visible = reaches ? await deps.policy.visibleTo(principal) : nothing
  const within = from === undefined ? pullableNames(principal.scopes) : undefined
  const search = { digest, from, visible, within, target: repository }
  const { reader } = deps.metadata
  const source = await findMountSource(reader, search, new Turns({ party: partyOfCaller(caller) }))
  if (source === undefined) return false
  // Damaged content is not mounted: the caller uploads it instead, which repairs it.
  if ((await deps.health.inspect(() => findBlob(reader, digest)))?.isIntact !== true) return false
  return deps.metadata.transact(async (tx) => {
    if (!(await isMountSource(tx, search, source))) return false
    if ((await pinBlob(tx, digest)) === undefined) return false
    const now = deps.clock.now()
    const { id } = await openRepository(deps, tx, { name: repository, caller, now })
    await linkBlob(tx, { repositoryId: id, digest, now })
    await recordChanges(deps, tx, {
      repository,
      caller,
      changes: [{ kind: 'blob.mount', after: digest }],
    })
    return true
  })
}

/** Returns `undefined` for a principal without scopes. */
function pullableNames(scopes: readonly Scope[] | undefined): string[] | undefined {
  return scopes?.filter(({ actions }) => actions.includes('pull')).map(({ name }) => name)
}
