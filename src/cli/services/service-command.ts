/**
 * The code shared by commands that use a registry's services: it reads the arguments, opens the services and explains failures.
 */
import { ConfigError, loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { MetadataTooNew } from '../../metadata/errors.ts'
import { OciError } from '../../oci/oci-error.ts'
import { readArguments } from '../frame/arguments.ts'
import type { Arguments } from '../frame/arguments.ts'
import { CliError, failed } from '../frame/command.ts'
import type { CliHost, Command } from '../frame/command.ts'
import { createOutput } from '../frame/output.ts'
import type { Output } from '../frame/output.ts'
import type { Services } from './open-services.ts'
import { explainStartFailure } from './start-failure.ts'

export interface ServiceInvocation extends Services, Output {
  readonly arguments: Arguments
  readonly config: Config
  readonly host: CliHost
  readonly json: boolean
}

export interface ServiceCommand extends Omit<Command, 'configurable' | 'hintsAtKeys' | 'run'> {
  /** Returns `false` if the command worked but exits with 1; see `failsIf`. */
  run(invocation: ServiceInvocation): Promise<boolean | void>
}

/** Defines a command that works on the database of a registry, with or without a running server. */
export function defineServiceCommand(command: ServiceCommand): Command {
  const row = { ...command, configurable: true, hintsAtKeys: true }
  return {
    ...row,
    run: async ({ argv, json, host }) => {
      const args = readArguments(argv, row)
      const { config } = loadConfig({ ...host.sources, argv: args.rest })
      try {
        // Loaded on demand, so that the other commands start without the database.
        const { openServices } = await import('./open-services.ts')
        await using services = await openServices(config, host)
        const output = createOutput(host, json)
        const isDone = await command.run({ ...services, ...output, arguments: args, config, host, json })
        return isDone === false ? failed : 0
      } catch (error) {
        throw explainFailure(error, config)
      }
    },
  }
}

/** Returns an error with one message for the user; the given error is its cause. */
export function explainFailure(error: unknown, config: Config): Error {
  if (error instanceof CliError || error instanceof ConfigError) return error
  if (error instanceof OciError || error instanceof MetadataTooNew) {
    return new CliError(error.message, { cause: error })
  }
  return explainStartFailure(error, config)
}
