/** Commands that work on the services of a registry: reads the line, opens, runs, tells what failed. */
import { ConfigError, loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { MetadataTooNew } from '../../metadata/errors.ts'
import { OciError } from '../../oci/oci-error.ts'
import { readArguments } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import { CliError } from './command.ts'
import type { CliHost, Command, CommandFlag } from './command.ts'
import type { Services } from './open-services.ts'
import { explainStartFailure } from '../commands/server/start-failure.ts'

export interface ServiceInvocation extends Services {
  readonly arguments: Arguments
  readonly config: Config
  readonly host: CliHost
  readonly json: boolean
  /** The result: one JSON value with `--json`, these lines otherwise. */
  readonly print: (value: unknown, lines: string | readonly string[]) => void
}

export interface ServiceCommand {
  readonly name: string
  readonly summary: string
  readonly words?: readonly string[]
  readonly flags?: readonly CommandFlag[]
  readonly jsonShape: string
  run(invocation: ServiceInvocation): Promise<void>
}

export function defineServiceCommand(command: ServiceCommand): Command {
  const { name, summary, words = [], flags = [], jsonShape } = command
  return {
    name,
    summary,
    words,
    flags,
    jsonShape,
    configurable: true,
    hintsAtKeys: true,
    run: async ({ argv, json, host }) => {
      const args = readArguments(argv, { name, words, flags })
      const { config } = loadConfig({ ...host.sources, argv: args.rest })
      try {
        // Loaded on demand, so that the other commands start without the database.
        const { openServices } = await import('./open-services.ts')
        await using services = await openServices(config, host)
        await command.run({
          ...services,
          arguments: args,
          config,
          host,
          json,
          print: createPrint(host, json),
        })
        return 0
      } catch (error) {
        throw explainFailure(error, config)
      }
    },
  }
}

export function createPrint(host: CliHost, json: boolean): ServiceInvocation['print'] {
  return (value, lines) => {
    if (json) host.out(JSON.stringify(value))
    else for (const line of typeof lines === 'string' ? [lines] : lines) host.out(line)
  }
}

/** What people can mend is told in one message; the rest too, with its cause kept. */
export function explainFailure(error: unknown, config: Config): Error {
  if (error instanceof CliError || error instanceof ConfigError) return error
  if (error instanceof OciError || error instanceof MetadataTooNew) {
    return new CliError(error.message, { cause: error })
  }
  return explainStartFailure(error, config)
}

/** Columns as wide as their longest cell; the first row is the head. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
