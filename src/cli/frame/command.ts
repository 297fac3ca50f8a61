/** The types of a command and of `CliHost`, its view of the process. Tests pass their own host. */
import type { PasswordHasher } from '../../identity/passwords/password-hash.ts'
import type { ConfigSources } from '../../config/load.ts'

export interface CliHost {
  /** Writes a line of the result to standard output. Throws `OutputEnded` once standard output is closed or has failed. */
  out(line: string): void
  /** Writes a notice or an error to standard error. */
  err(line: string): void
  /** Whether standard error is a terminal. Otherwise its output may be stored as a log. */
  readonly isTerminal?: boolean
  readonly sources: Omit<ConfigSources, 'argv'>
  /** Shows the current step, replacing the previous one. Absent without a terminal. */
  readonly showProgress?: (text: string) => void
  /** Returns all of standard input. Throws `CliError` if it is longer than any password. */
  readStdin(): Promise<string>
  /** `undefined` without a terminal. */
  readonly terminal: CliTerminal | undefined
  /** Hashes new passwords. By default, a hash costs as much as on the server. */
  readonly passwords?: PasswordHasher
  /** Calls `reload` on each HUP until disposed. Without a listener, HUP terminates the process. */
  listenForReload(reload: () => void): Disposable
  /** Makes TERM and INT request a stop instead of ending the process, until disposed. */
  listenForStop(): StopSignals
}

/** Asks a person. Both methods throw `CliError` if interrupted. */
export interface CliTerminal {
  /** Asks and shows the typed text. */
  ask(label: string): Promise<string>
  /** Asks without showing the typed text. */
  askSecret(label: string): Promise<string>
}

export interface StopSignals extends Disposable {
  /** Resolves with the first signal. A second signal ends the process at once. */
  readonly requested: Promise<NodeJS.Signals>
}

export interface Invocation {
  /** The arguments after the words of the command, without `--json`. */
  readonly argv: readonly string[]
  /** Whether to answer with one JSON value on standard output. */
  readonly json: boolean
  readonly host: CliHost
}

export interface CommandArgument {
  /** The name as the usage shows it: `<name>`. */
  readonly name: string
  /** The allowed values. Absent: any text; the command itself checks it. */
  readonly choices?: readonly string[]
  /** Whether a shell completes it with file names. */
  readonly isPath?: boolean
}

export interface CommandOption {
  /** The name with its dashes: `--name`. */
  readonly name: string
  readonly summary: string
  /** A `switch` takes no value. Commas separate the entries of a `list`. */
  readonly type: 'switch' | 'text' | 'number' | 'time' | 'list'
  /** The placeholder for the value, such as `<name>`. Absent: the choices or, without choices, the type. */
  readonly value?: string
  /** The allowed values. Absent: any value of the type. */
  readonly choices?: readonly string[]
  /** The smallest and the largest allowed number. */
  readonly range?: readonly [number, number]
  /** The default value, as typed on the command line. */
  readonly default?: string
}

/** A command. Help, manual, man page and shell completion are generated from its fields. */
export interface Command {
  /** One or more words: `user add`. */
  readonly name: string
  readonly summary: string
  /** The arguments after the name; all are required. */
  readonly arguments?: readonly CommandArgument[]
  /** The options of this command alone. */
  readonly options?: readonly CommandOption[]
  /** Whether it takes an option for every key of the configuration. */
  readonly configurable: boolean
  /** Whether its help lists `--config` and `--data` only; an option for every key would bury its own options. */
  readonly hintsAtKeys?: boolean
  /** When the command prints its result and exits with 1. Completes "The exit code is 1 if ...". */
  readonly failsIf?: string
  /** The output with `--json`, for the manual. */
  readonly jsonShape: string
  /** Returns the exit code. Throws `CliError` or `ConfigError` for an error that the user can correct. */
  run(invocation: Invocation): Promise<number>
}

/** A command with its heading in the manual. */
export interface CommandRow extends Command {
  readonly group: string
}

/** A failure that is reported as one message, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: number
  constructor(message: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options)
    this.exitCode = options.exitCode ?? failed
  }
}

/** Standard output is closed or has failed. The command ends without another message. */
export class OutputEnded extends CliError {
  constructor() {
    super('standard output is closed', { exitCode: 0 })
  }
}

export const failed = 1
/** The exit code for a wrong command line, as in shells. */
export const misused = 2

/** Returns the error for a wrong command line. */
export function misuse(message: string): CliError {
  return new CliError(message, { exitCode: misused })
}
