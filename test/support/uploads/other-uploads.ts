/** The upload sessions of another process on the same database and store. */
import { systemIds } from '../../../src/lib/ids.ts'
import { systemTimers, type Timers } from '../../../src/lib/timers.ts'
import { BlobHealth } from '../../../src/registry/blob-health.ts'
import { HashThreads } from '../../../src/registry/uploads/hash-threads.ts'
import { createUploads } from '../../../src/registry/uploads/uploads.ts'
import type { Uploads } from '../../../src/registry/uploads/upload-types.ts'
import { openPolicy } from '../parts/open-identity.ts'
import { testLives, type OpenRegistry } from '../parts/open-registry.ts'

interface OtherProcess {
  readonly maxSessions?: number
  readonly metadata?: OpenRegistry['metadata']
  readonly timers?: Timers
}

export function otherProcess(
  open: OpenRegistry,
  { maxSessions = 100, metadata = open.metadata, timers = systemTimers }: OtherProcess = {},
): Uploads {
  const { store, clock, audit } = open
  const limits = { maxSessions, lives: testLives, takeoverMs: 5_000 }
  const parts = { metadata, store, clock, audit, timers, ids: systemIds }
  const health = new BlobHealth({ ...parts, monotonic: clock, onDamage: () => undefined })
  const deps = { ...parts, health, policy: openPolicy, onDeadKey: () => undefined }
  return createUploads({ ...deps, ...limits, hashThreads: new HashThreads() })
}
