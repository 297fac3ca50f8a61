/**
 * Two processes on one data folder and one database, inside the test's process, with real files and rows. A process can be
 * killed, which means that its calls never end, and its store can hang. In all cases every committed file must match the digest
 * in its name.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { createAudit, type Audit } from '../../src/audit/audit.ts'
import { FailingBlobStore, type FailingOperation } from '../../src/blob-store/contract/failing-blob-store.ts'
import type { BlobStore, SegmentStart, SegmentWriter, StorageKey } from '../../src/blob-store/blob-store.ts'
import { ForwardingBlobStore } from '../../src/blob-store/forwarding-blob-store.ts'
import { StoreUnavailable } from '../../src/blob-store/errors.ts'
import { openFilesystemBlobStore } from '../../src/blob-store/filesystem/filesystem-blob-store.ts'
import { BufferPool } from '../../src/lib/memory/buffer-pool.ts'
import { monotonicClock, systemClock } from '../../src/lib/clock.ts'
import { systemIds, type Ids } from '../../src/lib/ids.ts'
import { removeDeadKeys } from '../../src/lifecycle/remove-dead-keys.ts'
import { openSqliteMetadata } from '../../src/metadata/dialects/sqlite/sqlite.ts'
import { findLinkedBlob } from '../../src/metadata/content/blobs.ts'
import { kyselyOf } from '../../src/metadata/sql/database.ts'
import type { Metadata } from '../../src/metadata/metadata.ts'
import type { Digest } from '../../src/oci/digest.ts'
import type { RepositoryName } from '../../src/oci/repository-name.ts'
import type { DamagedContent } from '../../src/registry/blob-health.ts'
import { createRegistry, type Registry } from '../../src/registry/registry.ts'
import { HashThreads } from '../../src/registry/uploads/hash-threads.ts'
import { openPolicy } from '../support/parts/open-identity.ts'
import { tempFolder } from '../support/processes/temp-folder.ts'
import { silentLog } from '../support/parts/silent-log.ts'
import { TestTimers } from '../support/parts/test-timers.ts'

/** All keys are in one shard folder, so that listing it shows every committed file. */
const shard = '00'
const ids: Ids = { ...systemIds, storageKey: () => `${shard}${randomBytes(15).toString('hex')}` }

/** Tracks every writer that was opened: the world closes the writers of a dead process, as a kernel does. */
class TrackingBlobStore extends ForwardingBlobStore {
  readonly #writers = new Set<SegmentWriter>()

  override async openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter> {
    const writer = await super.openSegment(key, start)
    this.#writers.add(writer)
    return writer
  }

  async closeWriters(): Promise<void> {
    for (const writer of this.#writers) await writer[Symbol.asyncDispose]()
    this.#writers.clear()
  }
}

/** What happens to the next call of an operation. */
export interface Stall {
  readonly operation: FailingOperation
  readonly kind: 'wait' | 'fail' | 'fail-after'
}

/** The state of one process, over its whole life. */
export class WorldProcess {
  readonly registry: Registry
  readonly timers = new TestTimers()
  readonly store: TrackingBlobStore
  isDead = false
  #stall: Stall | undefined
  #gates: PromiseWithResolvers<void>[] = []

  constructor(
    parts: { metadata: Metadata; store: BlobStore; audit: Audit; hashThreads: HashThreads },
    damage: DamagedContent[],
  ) {
    this.store = new TrackingBlobStore(parts.store)
    const failing = new FailingBlobStore(this.store, ({ operation }) => {
      if (this.isDead) return { kind: 'hang' }
      const stall = this.#stall
      if (stall?.operation !== operation) return undefined
      this.#stall = undefined
      if (stall.kind !== 'wait')
        return { kind: stall.kind, error: new StoreUnavailable('as planned', { retryable: true }) }
      const gate = Promise.withResolvers<void>()
      this.#gates.push(gate)
      return { kind: 'wait', until: gate.promise }
    })
    this.registry = createRegistry({
      metadata: this.#mortal(parts.metadata),
      store: failing,
      clock: systemClock,
      monotonic: monotonicClock,
      timers: this.timers,
      ids,
      policy: openPolicy,
      audit: parts.audit,
      hashThreads: parts.hashThreads,
      onDeadKey: () => undefined,
      onDamage: (found) => void damage.push(found),
      deleteEnabled: true,
      references: { blobs: 'strict', children: 'lenient' },
      maxSessions: Number.MAX_SAFE_INTEGER,
      lives: { withBytesMs: Number.MAX_SAFE_INTEGER, emptyMs: Number.MAX_SAFE_INTEGER },
      // Real time, and short: a hanging holder loses its session at once.
      takeoverMs: 3,
    })
  }

  plan(stall: Stall): void {
    this.#stall = stall
  }

  /** Lets all hanging calls continue, except those of a dead process, which hang forever. */
  release(): void {
    this.#stall = undefined
    if (!this.isDead) for (const gate of this.#gates.splice(0)) gate.resolve()
  }

  kill(): void {
    this.isDead = true
  }

  /**
   * Returns the database as the process sees it: after a kill it answers nothing, but transactions that had begun may still be
   * committed.
   */
  #mortal(metadata: Metadata): Metadata {
    const never = new Promise<never>(() => undefined)
    return {
      dialect: metadata.dialect,
      reader: metadata.reader,
      transact: async (work, options) => {
        if (this.isDead) return never
        const result = await metadata.transact(work, options)
        return this.isDead ? never : result
      },
      onRightsChange: (listener) => metadata.onRightsChange(listener),
      expectInstallation: (id) => metadata.expectInstallation(id),
      flush: () => metadata.flush(),
      ping: () => metadata.ping(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
}

export const slots = [0, 1] as const
export type Slot = (typeof slots)[number]

interface WorldParts {
  readonly root: string
  readonly metadata: readonly [Metadata, Metadata]
  readonly audits: readonly [Audit, Audit]
  readonly hashThreads: HashThreads
  readonly buffers: BufferPool
  readonly resources: AsyncDisposableStack
}

export class UploadWorld implements AsyncDisposable {
  readonly damage: DamagedContent[] = []
  readonly #parts: WorldParts
  readonly #live: (WorldProcess | undefined)[] = []
  readonly #all: WorldProcess[] = []

  private constructor(parts: WorldParts) {
    this.#parts = parts
  }

  static async open(): Promise<UploadWorld> {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await tempFolder('lading-world'))
    const onFatal = (error: unknown): never => {
      throw error
    }
    const file = join(folder.path, 'lading.db')
    const open = async () => stack.use(await openSqliteMetadata({ file, clock: systemClock, onFatal }))
    const metadata = [await open(), await open()] as const
    const audit = (of: Metadata) =>
      stack.use(createAudit({ metadata: of, clock: systemClock, onError: onFatal }))
    const audits = [audit(metadata[0]), audit(metadata[1])] as const
    const hashThreads = stack.use(new HashThreads())
    const parts = { root: join(folder.path, 'store'), metadata, audits, hashThreads }
    return new UploadWorld({ ...parts, buffers: new BufferPool(), resources: stack.move() })
  }

  /** The rows, independent of any process. */
  get reader(): Metadata['reader'] {
    return this.#parts.metadata[0].reader
  }

  /** Returns the live process of a slot; a killed one is replaced by a new one without state. */
  async process(slot: Slot): Promise<WorldProcess> {
    const found = this.#live[slot]
    if (found !== undefined && !found.isDead) return found
    const { root, buffers, metadata, audits, hashThreads } = this.#parts
    const store = await openFilesystemBlobStore({ root, buffers, clock: systemClock, ids })
    const parts = { metadata: metadata[slot], audit: audits[slot], store, hashThreads }
    const started = new WorldProcess(parts, this.damage)
    this.#live[slot] = started
    this.#all.push(started)
    return started
  }

  /** Removes the bytes of dead keys, as the job does. */
  async collect(slot: Slot): Promise<void> {
    const { store } = await this.process(slot)
    const deps = { metadata: this.#parts.metadata[slot], store, clock: systemClock, log: silentLog }
    await removeDeadKeys(deps, new AbortController().signal)
  }

  /** Returns the bytes of a blob from its row and the folder; `undefined` when one of them is missing. */
  async readBlob(repository: RepositoryName, digest: Digest): Promise<Buffer | undefined> {
    const row = await findLinkedBlob(this.reader, repository, digest)
    if (row === undefined) return undefined
    const name = `${row.storageKey}_${digest.replace(':', '-')}`
    return await readFile(join(this.#parts.root, 'blobs', shard, name)).catch(() => undefined)
  }

  /** Lists the committed files that do not match the digest in their name. */
  async brokenFiles(): Promise<string[]> {
    const folder = join(this.#parts.root, 'blobs', shard)
    const broken: string[] = []
    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name)).catch(() => undefined)
      const encoded = bytes && createHash('sha256').update(bytes).digest('hex')
      if (encoded !== undefined && !name.endsWith(`_sha256-${encoded}`)) broken.push(name)
    }
    return broken
  }

  /** Called after a schedule, when nothing is in progress: empties folders and tables and replaces the processes. */
  async reset(): Promise<void> {
    for (const process of this.#all.splice(0)) {
      await process.store.closeWriters()
      await process.store[Symbol.asyncDispose]()
    }
    this.#live.splice(0)
    this.damage.splice(0)
    await this.#parts.metadata[0].transact(async (tx) => {
      for (const table of ['blob_link', 'blob', 'upload', 'dead_key'] as const) {
        await kyselyOf(tx).deleteFrom(table).execute()
      }
    })
    for (const folder of [join('blobs', shard), 'uploads']) {
      const path = join(this.#parts.root, folder)
      for (const name of await readdir(path)) await rm(join(path, name), { force: true })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reset()
    await this.#parts.resources.disposeAsync()
  }
}
