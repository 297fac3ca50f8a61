/** `lading serve`: load, open, listen, wait for a signal, drain. */
import { isIPv4 } from 'node:net'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { createLogger } from '../telemetry/logger.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { CliHost, Command } from './command.ts'
import { explainStartFailure } from './start-failure.ts'
import { readVersion } from './version.ts'

/** What `serve` needs of the application. */
export interface RunningApp extends AsyncDisposable {
  readonly url: string
  /** Stops accepting, lets requests end for this long, then cuts them. */
  stop(deadlineMs: number): Promise<void>
}

export type StartApp = (config: Config, deps: { readonly logger: Logger }) => Promise<RunningApp>

export interface ServeDeps {
  readonly startApp: StartApp
  createLogger: typeof createLogger
}

export function createServeCommand(deps: ServeDeps): Command {
  return {
    name: 'serve',
    summary: 'Serve the registry until TERM or INT; a second signal ends it without draining.',
    configurable: true,
    jsonShape: '{"msg": "listening", "url": string} as one line of the log',
    run: async ({ argv, json, host }) => {
      const { config } = loadConfig({ ...host.sources, argv })
      const logger = deps.createLogger({ level: config.log.level })
      using signals = host.listenForStop()
      await using app = await start(config, logger, deps.startApp)
      announce(app.url, config, { logger, host, json })
      const signal = await signals.requested
      logger.info({ signal, drainMs: config.shutdown.drainMs }, 'draining')
      await app.stop(config.shutdown.drainMs)
      logger.info('stopped')
      return 0
    },
  }
}

async function start(config: Config, logger: Logger, startApp: StartApp): Promise<RunningApp> {
  try {
    return await startApp(config, { logger })
  } catch (error) {
    logger.debug({ err: error }, 'start-up failed')
    throw explainStartFailure(error, config)
  }
}

interface Audience {
  readonly logger: Logger
  readonly host: CliHost
  readonly json: boolean
}

function announce(url: string, config: Config, { logger, host, json }: Audience): void {
  const version = readVersion()
  const place =
    config.storage.driver === 'memory' ? 'blobs in memory, lost at exit' : `data in ${config.data}`
  logger.info({ url, version, data: config.data }, 'listening')
  if (!json) host.err(`lading ${version} serves ${url} (${place})`)
  if (isLoopback(config.http.host)) return
  const warning = `http.host is ${config.http.host}: everyone who can reach it may pull, push and delete, unencrypted`
  logger.warn(warning)
  if (!json) host.err(`warning: ${warning}`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
