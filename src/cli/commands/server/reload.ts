/** Handles HUP: reads the configuration again and applies the keys that can change while the registry runs. */
import type { Config } from '../../../config/schema.ts'
import { Secret } from '../../../config/secrets.ts'
import { readTlsFiles, type TlsFiles } from '../../../config/tls-files.ts'
import type { Logger } from '../../../telemetry/logger.ts'

export interface ReloadDeps {
  readonly app: { reloadTls(files: TlsFiles): void }
  readonly logger: Logger
  /** Throws `ConfigError`. */
  readonly load: () => Config
  /** The configuration that the registry started with. */
  readonly config: Config
}

/** The keys that take effect at once. Certificate files are read again even if their names stay the same. */
const liveKeys = ['log.level']
const tlsKeys = ['http.tls.cert', 'http.tls.key']

/** Returns the handler. It never throws: it logs a configuration that it cannot use and changes nothing. */
export function reloadConfig({ app, logger, load, config }: ReloadDeps): () => void {
  return () => {
    try {
      const next = load()
      // Switching TLS on or off needs a restart; new files do not.
      const hasTls = config.http.tls.cert !== undefined && next.http.tls.cert !== undefined
      const files = hasTls ? readTlsFiles(next.http.tls) : undefined
      if (files !== undefined) app.reloadTls(files)
      logger.level = next.log.level
      const live = hasTls ? [...liveKeys, ...tlsKeys] : liveKeys
      const changed = listChanges(config, next).filter((key) => !live.includes(key))
      logger.info({ logLevel: next.log.level, tls: files !== undefined }, 'reloaded')
      if (changed.length > 0)
        logger.warn({ keys: changed }, 'these keys changed and take effect after a restart')
    } catch (err) {
      logger.error({ err }, 'could not reload; nothing has changed')
    }
  }
}

/** Returns the paths of the keys whose values differ. */
function listChanges(before: Config, after: Config): string[] {
  const [old, now] = [flatten(before), flatten(after)]
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key)).sort()
}

function flatten(tree: object, path = ''): Map<string, string> {
  const entries = Object.entries(tree).flatMap(([name, value]: [string, unknown]) => {
    const key = path === '' ? name : `${path}.${name}`
    if (value instanceof Secret) return [[key, value.reveal()] as const]
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return [[key, JSON.stringify(value)] as const]
    return [...flatten(value, key)]
  })
  return new Map(entries)
}
