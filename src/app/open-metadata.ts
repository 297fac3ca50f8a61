/** Opens the configured database for the server and for CLI commands. */
import type { Config } from '../config/schema.ts'
import type { Clock } from '../lib/clock.ts'
import { openSqliteMetadata } from '../metadata/dialects/sqlite/sqlite.ts'
import type { Reader } from '../metadata/handles.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Logger } from '../telemetry/logger.ts'
import { databaseFile } from './data-folder.ts'

export interface OpenMetadataDeps {
  readonly clock: Clock
  readonly logger: Logger
  /**
   * Called once when the database can no longer be trusted; every later write fails. A server ends its process. Default: does
   * nothing.
   */
  readonly onFatal?: (error: Error) => void
  /** Whether to upgrade the schema. Default `true`. */
  readonly upgrade?: boolean
  /** Inspects the database before it is upgraded. If it throws, the database stays unchanged. */
  readonly inspect?: (db: Reader) => Promise<void>
}

/** Throws `MetadataUnavailable`, `MetadataFull`, `MetadataTooNew`. */
export async function openMetadata(config: Config, deps: OpenMetadataDeps): Promise<Metadata> {
  const { clock, logger, upgrade = true, inspect, onFatal = () => undefined } = deps
  if (config.metadata.driver === 'postgres') {
    // Loaded on demand: most installations never need the driver.
    const { openPostgresMetadata } = await import('../metadata/dialects/postgres/postgres.ts')
    return openPostgresMetadata({ url: config.metadata.url.reveal(), clock, upgrade, inspect })
  }
  return openSqliteMetadata({
    file: databaseFile(config),
    clock,
    upgrade,
    inspect,
    onFatal,
    onError: (err) => logger.error({ err }, 'database maintenance failed; it is tried again'),
  })
}

/** Throws the error uncaught, which ends the process. */
export function throwUncaught(error: Error): void {
  setImmediate(() => {
    throw error
  })
}
