/**
 * @module The command line: finds the command that the first words name, runs it, and turns an error that it throws
 * into a message and an exit code. `commands.ts` is the table of commands; `CliHost` gives access to the process.
 */
import { ConfigError } from '../config/load.ts'
import { readFlags } from '../config/sources.ts'
import { findClosest } from '../lib/closest.ts'
import { CliError, failed, misused, OutputEnded } from './frame/command.ts'
import type { CliHost, Command } from './frame/command.ts'

/** Returns the exit code. Rejects only for faults of the program, never for mistakes of the user. */
export async function runCli(
  argv: readonly string[],
  commands: readonly Command[],
  host: CliHost,
): Promise<number> {
  const json = argv.includes('--json')
  try {
    const { command, rest } = findCommand(
      expandShorthand(
        argv.filter((argument) => argument !== '--json'),
        commands,
      ),
      commands,
    )
    return await command.run({ argv: rest, json, host })
  } catch (error) {
    if (error instanceof OutputEnded) return error.exitCode
    if (!(error instanceof CliError) && !(error instanceof ConfigError)) throw error
    host.err(json ? formatJson(error) : `lading: ${error.message}`)
    if (error instanceof CliError) return error.exitCode
    return isOnCommandLine(error, argv) ? misused : failed
  }
}

/** Whether one of the faults is in a flag or its value, not in the file or the environment. */
function isOnCommandLine({ faults }: ConfigError, argv: readonly string[]): boolean {
  const flags = readFlags(argv)
  const values = [...flags.settings.values()].map(({ origin }) => `(${origin})`)
  return faults.some((fault) => flags.faults.includes(fault) || values.some((end) => fault.endsWith(end)))
}

/** Turns `x --help` into `help x`, and `--version` into `version`. */
function expandShorthand(argv: readonly string[], commands: readonly Command[]): readonly string[] {
  if (argv.includes('--help') || argv.includes('-h')) return ['help', ...takeTopic(argv, commands)]
  if (argv[0] === '--version' || argv[0] === '-v') return ['version', ...argv.slice(1)]
  return argv
}

/** Returns the words of the command or group without its arguments: `user add alice --help` explains `user add`. */
function takeTopic(argv: readonly string[], commands: readonly Command[]): readonly string[] {
  const words = takeWords(argv)
  for (let count = words.length; count > 0; count--) {
    const name = words.slice(0, count).join(' ')
    if (commands.some((command) => `${command.name} `.startsWith(`${name} `))) return words.slice(0, count)
  }
  return words
}

function takeWords(argv: readonly string[]): readonly string[] {
  const end = argv.findIndex((argument) => argument.startsWith('-'))
  return end === -1 ? argv : argv.slice(0, end)
}

interface Found {
  readonly command: Command
  readonly rest: readonly string[]
}

function findCommand(argv: readonly string[], commands: readonly Command[]): Found {
  const words = takeWords(argv)
  const [fallback] = commands
  if (words.length === 0 && fallback !== undefined) return { command: fallback, rest: argv }
  for (let count = words.length; count > 0; count--) {
    const name = words.slice(0, count).join(' ')
    const command = commands.find((candidate) => candidate.name === name)
    if (command !== undefined) return { command, rest: argv.slice(count) }
  }
  throw new CliError(describeUnknown(words, commands), { exitCode: misused })
}

function describeUnknown(words: readonly string[], commands: readonly Command[]): string {
  const typed = words.join(' ')
  const [group = ''] = words
  const members = commands.filter(({ name }) => name.startsWith(`${typed} `)).map(({ name }) => name)
  if (members.length > 0) return `${typed} is a group of commands; use one of: ${members.join(', ')}`
  const names = commands.map(({ name }) => name)
  const closest = findClosest(typed, names) ?? findClosest(group, names)
  const hint = closest === undefined ? 'lading help lists the commands' : `did you mean ${closest}?`
  return `unknown command ${typed}; ${hint}`
}

function formatJson(error: CliError | ConfigError): string {
  const faults = error instanceof ConfigError ? { faults: error.faults } : {}
  return JSON.stringify({ error: { message: error.message, ...faults } })
}
