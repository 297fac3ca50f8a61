/** Fault injection for tests: a store whose calls fail, wait or hang according to a plan. */
import type { Digest } from '../../oci/digest.ts'
import type {
  AsideEntry,
  BlobReader,
  BlobStore,
  ByteSink,
  CommitOptions,
  CopyOptions,
  KeyFailure,
  Segment,
  SegmentStart,
  SegmentWriter,
  StorageKey,
  StoredBlob,
  StoredBytes,
  StoreEntry,
} from '../blob-store.ts'
import { ForwardingBlobStore } from '../forwarding-blob-store.ts'
import { untilAborted } from '../until-aborted.ts'

export type FailingOperation =
  | 'openSegment'
  | 'write'
  | 'sync'
  | 'readSegments'
  | 'commit'
  | 'stat'
  | 'open'
  | 'copy'
  | 'delete'
  | 'setAside'
  | 'restoreAside'
  | 'deleteAside'
  | 'list'
  | 'readInstallationId'
  | 'writeInstallationId'
  | 'ping'

export interface PlannedCall {
  readonly operation: FailingOperation
  readonly key: StorageKey | undefined
  /** The number of this call among the calls of its operation, from 1. */
  readonly count: number
}

export type Fault =
  /** Fails without doing the work. */
  | { readonly kind: 'fail'; readonly error: Error }
  /** Does the work, then fails: the answer was lost. */
  | { readonly kind: 'fail-after'; readonly error: Error }
  /** Starts when the promise resolves. */
  | { readonly kind: 'wait'; readonly until: Promise<unknown> }
  /** Never starts; ends with the call's own signal if it has one, or the fault's. */
  | { readonly kind: 'hang'; readonly signal?: AbortSignal | undefined }

/** Decides what happens to a call; `undefined` lets it pass. */
export type FaultPlan = (call: PlannedCall) => Fault | undefined

/** Fails the calls of one operation: all of them, or the one with this count. */
export function failOn(operation: FailingOperation, error: Error, count?: number): FaultPlan {
  return (call) => {
    const isMeant = call.operation === operation && (count === undefined || call.count === count)
    return isMeant ? { kind: 'fail', error } : undefined
  }
}

interface Call {
  readonly operation: FailingOperation
  readonly key?: StorageKey | undefined
  readonly signal?: AbortSignal | undefined
}

export class FailingBlobStore extends ForwardingBlobStore {
  readonly #plan: FaultPlan
  readonly #counts = new Map<FailingOperation, number>()

  constructor(store: BlobStore, plan: FaultPlan) {
    super(store)
    this.#plan = plan
  }

  override async openSegment(key: StorageKey, start: SegmentStart): Promise<SegmentWriter> {
    const writer = await this.#run({ operation: 'openSegment', key }, () => super.openSegment(key, start))
    let failure: { readonly error: unknown } | undefined
    // As in every driver, the first error of a writer is permanent.
    const attempt = async <T>(operation: 'write' | 'sync', work: () => Promise<T>): Promise<T> => {
      if (failure !== undefined) throw failure.error
      try {
        return await this.#run({ operation, key }, work)
      } catch (error) {
        failure ??= { error }
        throw error
      }
    }
    return {
      get size() {
        return writer.size
      },
      write: (bytes) => attempt('write', () => writer.write(bytes)),
      sync: (options) => attempt('sync', () => writer.sync(options)),
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    }
  }

  override readSegments(key: StorageKey, segments: readonly Segment[], sink: ByteSink): Promise<void> {
    return this.#run({ operation: 'readSegments', key }, () => super.readSegments(key, segments, sink))
  }

  override commit(stored: StoredBlob, options: CommitOptions): Promise<void> {
    return this.#run({ operation: 'commit', key: stored.key }, () => super.commit(stored, options))
  }

  override stat(stored: StoredBlob): Promise<number | undefined> {
    return this.#run({ operation: 'stat', key: stored.key }, () => super.stat(stored))
  }

  override async open(stored: StoredBlob): Promise<BlobReader> {
    const { key } = stored
    const reader = await this.#run({ operation: 'open', key }, () => super.open(stored))
    return {
      size: reader.size,
      copyTo: (sink: ByteSink, options: CopyOptions) =>
        this.#run({ operation: 'copy', key, signal: options.signal }, () => reader.copyTo(sink, options)),
      [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
    }
  }

  override delete(key: StorageKey, digest: Digest | undefined): Promise<void> {
    return this.#run({ operation: 'delete', key }, () => super.delete(key, digest))
  }

  /** Plans each key separately, as a call of `delete`. */
  override deleteAll(dead: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#runEach('delete', dead, (bytes) => super.deleteAll([bytes]))
  }

  override setAside(bytes: readonly StoredBytes[]): Promise<readonly KeyFailure[]> {
    return this.#runEach('setAside', bytes, (one) => super.setAside([one]))
  }

  override restoreAside(entry: AsideEntry): Promise<boolean> {
    return this.#run({ operation: 'restoreAside', key: entry.key }, () => super.restoreAside(entry))
  }

  override deleteAside(entry: AsideEntry): Promise<void> {
    return this.#run({ operation: 'deleteAside', key: entry.key }, () => super.deleteAside(entry))
  }

  override async *list(): AsyncIterable<StoreEntry> {
    await this.#run({ operation: 'list' }, () => Promise.resolve())
    yield* super.list()
  }

  override readInstallationId(): Promise<string | undefined> {
    return this.#run({ operation: 'readInstallationId' }, () => super.readInstallationId())
  }

  override writeInstallationId(id: string): Promise<void> {
    return this.#run({ operation: 'writeInstallationId' }, () => super.writeInstallationId(id))
  }

  override ping(): Promise<void> {
    return this.#run({ operation: 'ping' }, () => super.ping())
  }

  async #runEach(
    operation: FailingOperation,
    batch: readonly StoredBytes[],
    work: (bytes: StoredBytes) => Promise<readonly KeyFailure[]>,
  ): Promise<readonly KeyFailure[]> {
    const failures: KeyFailure[] = []
    for (const bytes of batch) {
      const { key } = bytes
      try {
        failures.push(...(await this.#run({ operation, key }, () => work(bytes))))
      } catch (error) {
        failures.push({ key, error })
      }
    }
    return failures
  }

  async #run<T>({ operation, key, signal }: Call, work: () => Promise<T>): Promise<T> {
    const count = (this.#counts.get(operation) ?? 0) + 1
    this.#counts.set(operation, count)
    const fault = this.#plan({ operation, key, count })
    switch (fault?.kind) {
      case undefined:
        return work()
      case 'fail':
        throw fault.error
      case 'fail-after':
        await work()
        throw fault.error
      case 'wait':
        await fault.until
        return work()
      case 'hang':
        return untilAborted(new Promise<never>(() => undefined), signal ?? fault.signal)
    }
  }
}
