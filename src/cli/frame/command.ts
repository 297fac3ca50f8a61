/** What a command is, and what of the process it may use; tests pass their own host. */
import type { PasswordHasher } from '../../identity/passwords/password-hash.ts'
import type { ConfigSources } from '../../config/load.ts'

export interface CliHost {
  /** Results: standard output. Throws `OutputEnded` once that is closed or has failed. */
  out(line: string): void
  /** Notices and faults: standard error. */
  err(line: string): void
  /** Whether a person reads standard error at a terminal; anywhere else it may be kept as a log. */
  readonly isTerminal?: boolean
  readonly sources: Omit<ConfigSources, 'argv'>
  /** Shows what is being done, in place of what it showed before; nothing is shown without a terminal. */
  readonly showProgress?: (text: string) => void
  /** All of standard input. Throws `CliError` for more than a password could be. */
  readStdin(): Promise<string>
  /** Absent without a terminal. */
  readonly terminal: CliTerminal | undefined
  /** Hashes passwords. By default at the cost that logins are checked with. */
  readonly passwords?: PasswordHasher
  /** HUP calls it from now on; without anyone who listens HUP ends the process. */
  listenForReload(reload: () => void): Disposable
  /** From now on TERM and INT are answered by `StopSignals` instead of ending the process. */
  listenForStop(): StopSignals
}

/** Asks a person. Both throw `CliError` when they are interrupted. */
export interface CliTerminal {
  /** Shows what is typed. */
  ask(label: string): Promise<string>
  /** Does not show it. */
  askSecret(label: string): Promise<string>
}

export interface StopSignals extends Disposable {
  /** Resolves with the first signal; a second one ends the process at once. */
  readonly requested: Promise<NodeJS.Signals>
}

export interface Invocation {
  /** What follows the words of the command, without `--json`. */
  readonly argv: readonly string[]
  /** Answer with one JSON value on standard output. */
  readonly json: boolean
  readonly host: CliHost
}

export interface CommandArgument {
  /** As the usage shows it: `<name>`. */
  readonly name: string
  /** Absent: any text, which the command checks. */
  readonly choices?: readonly string[]
  /** A shell completes it with the names of files. */
  readonly isPath?: boolean
}

export interface CommandOption {
  /** `--name` */
  readonly name: string
  readonly summary: string
  /** A `switch` takes no value; a `list` is separated by commas. */
  readonly type: 'switch' | 'text' | 'number' | 'time' | 'list'
  /** What its value stands for, `<name>`; absent: the choices. */
  readonly value?: string
  /** Absent: any value of the type. */
  readonly choices?: readonly string[]
  /** The smallest and the largest number. */
  readonly range?: readonly [number, number]
  /** As a person writes it. */
  readonly default?: string
}

/** What a command is called and takes: help, manual, man page and shell completion follow from it. */
export interface Command {
  /** One word or more: `user add`. */
  readonly name: string
  readonly summary: string
  /** What follows the name, each required. */
  readonly arguments?: readonly CommandArgument[]
  /** Of this command alone. */
  readonly options?: readonly CommandOption[]
  /** Takes the options of the configuration keys. */
  readonly configurable: boolean
  /** Its help lists `--data` and no other key of the configuration: all of them would bury its own options. */
  readonly hintsAtKeys?: boolean
  /** When it prints its result and exits with 1, to complete "The exit code is 1 if ...". */
  readonly failsIf?: string
  /** What it prints with `--json`, for the manual. */
  readonly jsonShape: string
  /** Resolves with the exit code; throws `CliError` or `ConfigError` for what the user can mend. */
  run(invocation: Invocation): Promise<number>
}

/** A command with its heading in the manual. */
export interface CommandRow extends Command {
  readonly group: string
}

/** A failure that is told in one message, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: number
  constructor(message: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options)
    this.exitCode = options.exitCode ?? failed
  }
}

/** Standard output is closed or failed: the command ends without a further message. */
export class OutputEnded extends CliError {
  constructor() {
    super('standard output is closed', { exitCode: 0 })
  }
}

export const failed = 1
/** The command line itself is wrong, by the convention of shells. */
export const misused = 2

/** Refuses a command line that is wrong. */
export function misuse(message: string): CliError {
  return new CliError(message, { exitCode: misused })
}
