/** `lading help`, and the manual in `docs/cli.md`, both from the table of commands. */
import { describeFlag } from '../../config/flag-help.ts'
import { configKeys } from '../../config/keys.ts'
import { CliError, misused } from './command.ts'
import type { Command } from './command.ts'

export function createHelpCommand(listCommands: () => readonly Command[]): Command {
  return {
    name: 'help',
    summary: 'Explain the commands, or the one that is named.',
    configurable: false,
    jsonShape: '[{"name": string, "summary": string}]',
    run: async ({ argv, json, host }) => {
      const name = argv.join(' ')
      const commands = findTopic(listCommands(), name)
      if (commands.length === 0) {
        throw new CliError(`there is no command ${name}; lading help lists them`, { exitCode: misused })
      }
      if (json) host.out(JSON.stringify(commands.map((row) => ({ name: row.name, summary: row.summary }))))
      else host.out(name === '' ? formatOverview(commands) : formatTopic(commands, name))
      return 0
    },
  }
}

/** The command of that name and those whose names go on after it: `backup`, `backup verify`. */
function findTopic(commands: readonly Command[], name: string): readonly Command[] {
  if (name === '') return commands
  return commands.filter((command) => command.name === name || command.name.startsWith(`${name} `))
}

function formatTopic(commands: readonly Command[], name: string): string {
  const command = commands.find((one) => one.name === name)
  const others = commands.filter((one) => one !== command)
  const rows = formatRows(others.map((one) => [one.name, one.summary]))
  if (command === undefined) return ['Commands:', ...rows, '', flagsHint].join('\n')
  return others.length === 0
    ? formatCommand(command)
    : [formatCommand(command), '', 'See also:', ...rows].join('\n')
}

const flagsHint = 'lading help <command> lists its flags.'

const commonFlags: readonly (readonly [string, string])[] = [
  ['--json', 'Answer in JSON, faults included.'],
  ['--help, -h', 'Explain the command instead of running it.'],
]

export function formatOverview(commands: readonly Command[]): string {
  return [
    'lading: an OCI registry',
    '',
    'Usage: lading [command] [flags]; without a command it serves',
    '',
    'Commands:',
    ...formatRows(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Flags of every command:',
    ...formatRows(commonFlags),
    '',
    flagsHint,
  ].join('\n')
}

export function formatCommand(command: Command): string {
  const lines = [`Usage: ${formatUsage(command)} [flags]`, '', command.summary, '', 'Flags:']
  const config = command.configurable ? listConfigFlags(command) : []
  const rest = command.configurable && command.hintsAtKeys === true ? ['', seeAllKeys] : []
  const rows = formatRows([...listOwnFlags(command), ...commonFlags, ...config])
  return [...lines, ...rows, ...rest].join('\n')
}

const seeAllKeys = 'Takes a flag for every other key of the configuration too: lading help serve lists them.'

function formatUsage({ name, words = [] }: Command): string {
  return ['lading', name, ...words].join(' ')
}

function listOwnFlags({ flags = [] }: Command): (readonly [string, string])[] {
  return flags.map(({ name, value, summary }) => [value === undefined ? name : `${name} ${value}`, summary])
}

export function describeCommands(commands: readonly Command[]): string {
  const sections = commands.map((command) => {
    const own = listOwnFlags(command).map(([flag, summary]) => `- \`${flag}\`: ${summary}\n`)
    const config = command.configurable
      ? '\nTakes a flag for every key of [configuration.md](configuration.md).\n'
      : ''
    const flags = `${own.length > 0 ? '\n' : ''}${own.join('')}${config}`
    return `## \`${formatUsage(command)}\`\n\n${command.summary}\n${flags}\nWith \`--json\`: \`${command.jsonShape}\`\n`
  })
  return `${manual}\n${sections.join('\n')}`
}

const manual = `# Commands

<!-- Generated from src/cli/commands.ts by \`npm run docs\`. -->

\`lading\` without a command is \`lading serve\`. Every command takes \`--json\` and \`--help\`. The exit code is 0 on success, 1 on failure
and 2 when the command line itself is wrong. Results go to standard output, notices and faults to standard error; with \`--json\` a
fault is \`{"error": {"message": string, "faults"?: string[]}}\` on standard error. A command that checks something and finds a fault in it (\`backup\`,
\`backup verify\`, \`doctor\`, \`config check\`) prints its result as usual and exits with 1.

Commands that change users, repositories, tokens and keys work on the database that the configuration names, whether a server
runs or not; a server takes the change up within a second. Give them the same configuration as the server, \`--data\` above all.
A password is never an argument: it comes from standard input, from a generator, or is asked for at the terminal.
`

function listConfigFlags({ hintsAtKeys = false }: Command): (readonly [string, string])[] {
  const shown = hintsAtKeys ? configKeys.filter(({ path }) => path === 'data') : configKeys
  const keys = shown.map((key) => describeFlag(key)).map(({ usage, summary }) => [usage, summary] as const)
  return [['--config <file>', 'Read this file instead of ./lading.yaml.'], ...keys]
}

function formatRows(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)
}
