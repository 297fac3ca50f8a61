/** The registry services on real parts, with the database of `test-database.ts` and the memory store, without HTTP. */
import { join } from 'node:path'
import { createAudit, type Audit } from '../../../src/audit/audit.ts'
import { anonymous } from '../../../src/identity/principal.ts'
import type { BlobStore } from '../../../src/blob-store/blob-store.ts'
import { MemoryBlobStore } from '../../../src/blob-store/memory/memory-blob-store.ts'
import { systemIds } from '../../../src/lib/ids.ts'
import { systemTimers } from '../../../src/lib/timers.ts'
import { createLogger, type Logger } from '../../../src/telemetry/logger.ts'
import { ensureInstallation } from '../../../src/metadata/system/installation.ts'
import type { Metadata } from '../../../src/metadata/metadata.ts'
import type { DamagedContent } from '../../../src/registry/blob-health.ts'
import { createRegistry, type Registry, type RegistryDeps } from '../../../src/registry/registry.ts'
import { HashThreads } from '../../../src/registry/uploads/hash-threads.ts'
import { openPolicy } from './open-identity.ts'
import { tempFolder } from '../processes/temp-folder.ts'
import { openTestMetadata } from './test-database.ts'

export interface TestClock {
  now(): number
  advance(ms: number): void
}

export interface OpenRegistry extends AsyncDisposable {
  readonly registry: Registry
  readonly metadata: Metadata
  readonly store: BlobStore
  readonly clock: TestClock
  readonly audit: Audit
  /** The content that the registry reported as damaged. */
  readonly damage: readonly DamagedContent[]
  readonly log: Logger
  /** The log lines so far. */
  readonly logged: readonly Readonly<Record<string, unknown>>[]
  /** Returns how often the registry reported that there are bytes to remove. */
  deadKeys(): number
}

/** The lifetimes of upload sessions. */
export const testLives = { withBytesMs: 24 * 3_600_000, emptyMs: 5 * 60_000 }

export const caller = { principal: anonymous, push: { create: true, update: true } }

export interface OpenRegistryOptions extends Partial<RegistryDeps> {
  /** Wraps the memory store in a decorator. */
  readonly wrapStore?: (store: BlobStore) => BlobStore
  /** `'none'`: the database has never completed a start. */
  readonly installation?: 'none'
}

export async function openRegistry(options: OpenRegistryOptions = {}): Promise<OpenRegistry> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder())
  const clock = createTestClock()
  const file = join(folder.path, 'lading.db')
  const fatal: unknown[] = []
  stack.defer(() => {
    if (fatal.length > 0) throw fatal[0]
  })
  const onFatal = (error: unknown): void => void fatal.push(error)
  const { metadata } = stack.use(await openTestMetadata({ file, clock, onFatal }))
  if (options.installation !== 'none') {
    await metadata.transact((tx) => ensureInstallation(tx, { id: 'installation-1', now: clock.now() }))
  }
  const logged: Record<string, unknown>[] = []
  const write = (line: string): void => void logged.push(JSON.parse(line) as Record<string, unknown>)
  const log = createLogger({ level: 'info', destination: { write } })
  const audit = stack.use(createAudit({ metadata, clock, onError: onFatal }))
  const memory = stack.use(new MemoryBlobStore({ clock, maxBytes: 256 * 1024 * 1024 }))
  const store = options.wrapStore?.(memory) ?? memory
  const hashThreads = stack.use(new HashThreads())
  let deadKeys = 0
  const damage: DamagedContent[] = []
  const registry = createRegistry({
    metadata,
    store,
    clock,
    monotonic: clock,
    timers: systemTimers,
    ids: systemIds,
    policy: openPolicy,
    audit,
    hashThreads,
    onDeadKey: () => void (deadKeys += 1),
    onDamage: (found) => void damage.push(found),
    deleteEnabled: true,
    references: { blobs: 'strict', children: 'lenient' },
    maxSessions: 100,
    lives: testLives,
    takeoverMs: 5_000,
    ...options,
  })
  const resources = stack.move()
  return {
    registry,
    metadata,
    store,
    clock,
    audit,
    damage,
    log,
    logged,
    deadKeys: () => deadKeys,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

export function createTestClock(): TestClock {
  let ms = Date.now()
  return { now: () => ms, advance: (by) => void (ms += by) }
}

/** Yields the chunks, then fails or waits forever. */
export async function* bodyOf(
  chunks: Iterable<Uint8Array>,
  end?: { fail?: Error; hang?: boolean },
): AsyncGenerator<Uint8Array> {
  yield* chunks
  if (end?.fail !== undefined) throw end.fail
  if (end?.hang === true) await new Promise(() => undefined)
}
