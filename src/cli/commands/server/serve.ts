/** `lading serve`: loads the configuration, starts the registry, reloads on HUP, and drains on the first TERM or INT. */
import { existsSync } from 'node:fs'
import { initialPasswordFile } from '../../../app/data-folder.ts'
import type { FirstAdministrator } from '../../../identity/accounts/accounts.ts'
import { loadConfig } from '../../../config/load.ts'
import type { Config } from '../../../config/schema.ts'
import type { TlsFiles } from '../../../config/tls-files.ts'
import type { Logger } from '../../../telemetry/logger.ts'
import { readArguments } from '../../frame/arguments.ts'
import type { CliHost, Command, CommandOption } from '../../frame/command.ts'
import { listExposures } from './exposure.ts'
import type { OpenLog, OpenLogFunction } from '../../process/log-output.ts'
import { findOtherListener } from './other-listener.ts'
import { reloadConfig } from './reload.ts'
import { explainStartFailure } from '../../services/start-failure.ts'
import { readVersion } from './version.ts'

/** The running application, as `serve` uses it. */
export interface RunningApp extends AsyncDisposable {
  readonly url: string
  /** The administrator that this start created because there was no account. */
  readonly firstAdministrator: FirstAdministrator | undefined
  /** Uses the files for new connections. Throws and changes nothing if it cannot use them. */
  reloadTls(files: TlsFiles): void
  /** Stops accepting connections, gives requests this long to finish, then aborts them. */
  stop(deadlineMs: number): Promise<void>
}

export type StartApp = (
  config: Config,
  deps: {
    readonly logger: Logger
    readonly version: string
    readonly droppedLogLines: () => number
    readonly onFatal: (error: Error) => void
    readonly adoptStore: boolean
  },
) => Promise<RunningApp>

export interface ServeDeps {
  readonly startApp: StartApp
  readonly openLog: OpenLogFunction
}

const adoptFlag = '--adopt-store'
const serveOptions: readonly CommandOption[] = [
  {
    name: adoptFlag,
    type: 'switch',
    summary:
      'Take over permanently a blob store that belongs to another database or to none, or continue with one that has lost its blobs. From then on, the store refuses its former database. Use it for one start only.',
  },
]

export function createServeCommand(deps: ServeDeps): Command {
  return {
    name: 'serve',
    summary:
      'Serve the registry until TERM or INT. A second signal stops it without waiting for running requests.',
    options: serveOptions,
    configurable: true,
    jsonShape: '{"msg": "listening", "url": string} as one line of the log',
    run: async ({ argv, json, host }) => {
      const args = readArguments(argv, { name: 'serve', options: serveOptions, configurable: true })
      const load = (): Config => loadConfig({ ...host.sources, argv: args.rest }).config
      const config = load()
      await using log = deps.openLog(config.log)
      const { logger } = log
      const audience = { log, host, json }
      using signals = host.listenForStop()
      const adoptStore = args.has(adoptFlag)
      await using app = await start(config, deps.startApp, { log, adoptStore })
      using _reloads = host.listenForReload(reloadConfig({ app, logger, load, config }))
      announce(app.url, config, audience)
      announceAdministrator(app.firstAdministrator, config, audience)
      await announceWarnings(config, audience)
      const signal = await signals.requested
      logger.info({ signal, drainMs: config.shutdown.drainMs }, 'draining')
      await app.stop(config.shutdown.drainMs)
      logger.info('stopped')
      return 0
    },
  }
}

async function start(
  config: Config,
  startApp: StartApp,
  { log, adoptStore }: { readonly log: OpenLog; readonly adoptStore: boolean },
): Promise<RunningApp> {
  const { logger, droppedLines: droppedLogLines, endProcess: onFatal } = log
  try {
    return await startApp(config, { logger, version: readVersion(), droppedLogLines, onFatal, adoptStore })
  } catch (error) {
    logger.debug({ err: error }, 'start-up failed')
    throw explainStartFailure(error, config)
  }
}

/** Where notices go: to standard error and into the log, or only to standard error if both share a terminal. */
interface Audience {
  readonly log: OpenLog
  readonly host: CliHost
  readonly json: boolean
}

function announce(url: string, config: Config, { log, host, json }: Audience): void {
  const version = readVersion()
  const place =
    config.storage.driver === 'memory' ? 'blobs in memory, lost at exit' : `data in ${config.data}`
  if (json || !log.sharesTerminal) log.logger.info({ url, version, data: config.data }, 'listening')
  if (!json) host.err(`lading ${version} serves ${url} (${place})`)
}

/** Prints the password only on a terminal, because systemd and Docker store standard error as a log. */
function announceAdministrator(
  made: FirstAdministrator | undefined,
  config: Config,
  { log, host, json }: Audience,
): void {
  const file = initialPasswordFile(config)
  if (made === undefined) {
    if (existsSync(file) && !json) host.err(`the first administrator's password is still in ${file}`)
    return
  }
  if (json || !log.sharesTerminal) log.logger.info({ name: made.name }, 'the first administrator was created')
  if (json) return
  if (made.generated === undefined)
    host.err(`created administrator ${made.name} with the configured password`)
  else if (host.isTerminal === true) {
    host.err(`created administrator ${made.name} with the password ${made.generated.password}`)
    host.err(`saved in ${made.generated.file} until you change it: lading user password ${made.name}`)
  } else {
    const place = `${made.generated.file} until you change it: lading user password ${made.name}`
    host.err(`created administrator ${made.name}; its password is in ${place}`)
  }
}

async function announceWarnings(config: Config, { log, host, json }: Audience): Promise<void> {
  const warnings = listExposures(config).map(({ message, advice }) => `${message}; ${advice}`)
  const { host: address, port } = config.http
  if (await findOtherListener(address, port)) {
    warnings.push(
      `http.port: another program listens on [::1]:${port}, and clients that use localhost:${port} may reach it instead; use 127.0.0.1:${port}, or another port`,
    )
  }
  for (const warning of warnings) {
    if (json || !log.sharesTerminal) log.logger.warn(warning)
    if (!json) host.err(`warning: ${warning}`)
  }
}
