/**
 * @module The command line: finds the command that the first words name, runs it, and turns whatever it throws
 * into a message and an exit code. Commands are rows of `commands.ts`; the process is reached through `CliHost`.
 */
import { ConfigError } from '../config/load.ts'
import { readFlags } from '../config/sources.ts'
import { findClosest } from '../lib/closest.ts'
import { CliError, failed, misused, OutputEnded } from './frame/command.ts'
import type { CliHost, Command } from './frame/command.ts'

/** Resolves with the exit code; never rejects for what a user can cause. */
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

/** Whether one of the faults is a flag or its value, not the file or the environment. */
function isOnCommandLine({ faults }: ConfigError, argv: readonly string[]): boolean {
  const flags = readFlags(argv)
  const values = [...flags.settings.values()].map(({ origin }) => `(${origin})`)
  return faults.some((fault) => flags.faults.includes(fault) || values.some((end) => fault.endsWith(end)))
}

/** `x --help` is `help x`, and `--version` is `version`. */
function expandShorthand(argv: readonly string[], commands: readonly Command[]): readonly string[] {
  if (argv.includes('--help') || argv.includes('-h')) return ['help', ...takeTopic(argv, commands)]
  if (argv[0] === '--version' || argv[0] === '-v') return ['version', ...argv.slice(1)]
  return argv
}

/** Without the arguments after a command or group: `user add alice --help` explains `user add`. */
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
  if (members.length > 0) return `${typed} is one of: ${members.join(', ')}`
  const names = commands.map(({ name }) => name)
  const closest = findClosest(typed, names) ?? findClosest(group, names)
  const hint = closest === undefined ? 'lading help lists the commands' : `did you mean ${closest}?`
  return `unknown command ${typed}; ${hint}`
}

function formatJson(error: CliError | ConfigError): string {
  const faults = error instanceof ConfigError ? { faults: error.faults } : {}
  return JSON.stringify({ error: { message: error.message, ...faults } })
}
