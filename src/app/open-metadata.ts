/** Opens the database that the configuration names; used by the server and by the commands beside it. */
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
   * Called once when the database can no longer be trusted; every write fails from then on. A server ends its process.
   * Default: does nothing.
   */
  readonly onFatal?: (error: Error) => void
  /** `false` leaves the schema as it is. Default `true`. */
  readonly upgrade?: boolean
  /** Looks at the database before it is upgraded. What it throws leaves the database as it was. */
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
    onError: (err) => logger.error({ err }, 'the database could not be maintained; it is tried again'),
  })
}

/** Ends a process that has no other way to: the error is uncaught. */
export function throwUncaught(error: Error): void {
  setImmediate(() => {
    throw error
  })
}
