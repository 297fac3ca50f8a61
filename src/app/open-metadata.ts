/** Opens the database that the configuration names; used by the server and by the commands beside it. */
import type { Config } from '../config/schema.ts'
import type { Clock } from '../lib/clock.ts'
import { openSqliteMetadata } from '../metadata/dialects/sqlite.ts'
import type { Reader } from '../metadata/handles.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Logger } from '../telemetry/logger.ts'
import { databaseFile } from './data-folder.ts'

export interface OpenMetadataDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** `false` leaves the schema as it is. Default `true`. */
  readonly upgrade?: boolean
  /** Looks at the database before it is upgraded. What it throws leaves the database as it was. */
  readonly inspect?: (db: Reader) => Promise<void>
}

/** Throws `MetadataUnavailable`, `MetadataFull`, `MetadataTooNew`. */
export async function openMetadata(config: Config, deps: OpenMetadataDeps): Promise<Metadata> {
  const { clock, logger, upgrade = true, inspect } = deps
  if (config.metadata.driver === 'postgres') {
    // Loaded on demand: most installations never need the driver.
    const { openPostgresMetadata } = await import('../metadata/dialects/postgres.ts')
    return openPostgresMetadata({ url: config.metadata.url.reveal(), clock, upgrade, inspect })
  }
  return openSqliteMetadata({
    file: databaseFile(config),
    clock,
    upgrade,
    inspect,
    onFatal: (error) => endProcess(error, logger),
    onError: (err) => logger.error({ err }, 'the database could not be maintained; it is tried again'),
  })
}

/**
 * After a failed sync nobody knows which bytes the disk has: what was acknowledged is in doubt, so nothing may be
 * acknowledged any more. The uncaught error ends the process; its supervisor starts it anew from what is durable.
 */
function endProcess(error: unknown, logger: Logger): void {
  logger.fatal({ err: error }, 'the database could not be synced to disk')
  setImmediate(() => {
    throw error
  })
}
