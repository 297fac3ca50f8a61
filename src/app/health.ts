/**
 * Answers `/readyz`: names the parts that do not respond; the reasons are in the log. A store without space still serves pulls,
 * so the registry stays ready and reports the store as full.
 */
import type { BlobStore } from '../blob-store/blob-store.ts'
import { StoreFull } from '../blob-store/errors.ts'
import type { Readiness } from '../http/handlers/handler-deps.ts'
import type { Clock } from '../lib/clock.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface HealthDeps {
  readonly metadata: Pick<Metadata, 'ping'>
  readonly store: Pick<BlobStore, 'ping'>
  readonly logger: Pick<Logger, 'warn'>
  /** A clock that never jumps. */
  readonly monotonic: Clock
  readonly metrics?: Pick<Metrics, 'watchGauge'> | undefined
}

/** How long an answer is reused: load balancers, monitors and scrapes ask constantly, and checking the store writes a file. */
const reusedMs = 1_000

const full = 'full: pulls work, pushes are refused until there is space'

/** The returned function never rejects. */
export function createHealth(deps: HealthDeps): () => Promise<Readiness> {
  let asked: { readonly at: number; readonly answer: Promise<Readiness> } | undefined
  const health = (): Promise<Readiness> => {
    const now = deps.monotonic.now()
    if (asked === undefined || now - asked.at >= reusedMs) asked = { at: now, answer: checkParts(deps) }
    return asked.answer
  }
  deps.metrics?.watchGauge({
    name: 'lading_store_full',
    help: 'Whether the store has no space: pulls work, pushes are refused.',
    read: async () => ((await health()).checks['store'] === full ? 1 : 0),
  })
  return health
}

async function checkParts({ metadata, store, logger }: HealthDeps): Promise<Readiness> {
  const check = async (name: string, ping: () => Promise<void>): Promise<[string, string]> => {
    try {
      await ping()
      return [name, 'ok']
    } catch (error) {
      const isFull = error instanceof StoreFull
      logger.warn({ err: error, part: name }, isFull ? 'no space left' : 'not ready')
      return [name, isFull ? full : 'does not respond']
    }
  }
  const results = await Promise.all([
    check('metadata', () => metadata.ping()),
    check('store', () => store.ping()),
  ])
  const ready = results.every(([, state]) => state === 'ok' || state === full)
  return { ready, checks: Object.fromEntries(results) }
}
