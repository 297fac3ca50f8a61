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
  /** Asks at the terminal, without showing what is typed; `undefined` when there is none. */
  readonly askSecret: ((label: string) => Promise<string>) | undefined
  /** Hashes passwords. By default at the cost that logins are checked with. */
  readonly passwords?: PasswordHasher
  /** HUP calls it from now on; without anyone who listens HUP ends the process. */
  listenForReload(reload: () => void): Disposable
  /** From now on TERM and INT are answered by `StopSignals` instead of ending the process. */
  listenForStop(): StopSignals
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

export interface CommandFlag {
  readonly name: string
  /** What its value stands for; absent for a flag that takes none. */
  readonly value?: string
  readonly summary: string
}

export interface Command {
  /** One or two words. */
  readonly name: string
  readonly summary: string
  /** What follows the name, each required: `<name>`. */
  readonly words?: readonly string[]
  /** Of this command alone. */
  readonly flags?: readonly CommandFlag[]
  /** Takes the flags of the configuration keys. */
  readonly configurable: boolean
  /** Its help lists `--data` and no other key of the configuration: all of them would bury its own flags. */
  readonly hintsAtKeys?: boolean
  /** What it prints with `--json`, for the manual. */
  readonly jsonShape: string
  /** Resolves with the exit code; throws `CliError` or `ConfigError` for what the user can mend. */
  run(invocation: Invocation): Promise<number>
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

export function refuseArguments({ argv }: Invocation): void {
  if (argv.length === 0) return
  throw new CliError(`unexpected argument ${argv[0]}`, { exitCode: misused })
}
