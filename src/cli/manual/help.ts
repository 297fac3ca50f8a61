/** `lading help`, generated from the table of commands. */
import { misuse } from '../frame/command.ts'
import type { Command, CommandRow } from '../frame/command.ts'
import { alignColumns, createOutput } from '../frame/output.ts'
import {
  commonOptions,
  configOptions,
  describeArguments,
  describeExitCode,
  describeOption,
  formatOption,
  formatUsage,
  groupCommands,
  listOwnOptions,
} from './options.ts'
import type { ShownOption } from './options.ts'

export function createHelpCommand(listCommands: () => readonly CommandRow[]): Command {
  return {
    name: 'help',
    summary: 'List the commands, or explain one command or group.',
    configurable: false,
    jsonShape: '[{"name": string, "summary": string}]',
    run: async ({ argv, json, host }) => {
      const name = argv.join(' ')
      const commands = findTopic(listCommands(), name)
      if (commands.length === 0) throw misuse(`unknown command ${name}; lading help lists the commands`)
      createOutput(host, json).print(
        commands.map((row) => ({ name: row.name, summary: row.summary })),
        name === '' ? formatOverview(commands) : formatTopic(commands, name),
      )
      return 0
    },
  }
}

/** Returns the command with this name and the commands whose names continue it: `backup`, `backup verify`. */
function findTopic(commands: readonly CommandRow[], name: string): readonly CommandRow[] {
  if (name === '') return commands
  return commands.filter((command) => command.name === name || command.name.startsWith(`${name} `))
}

function formatTopic(commands: readonly CommandRow[], name: string): string {
  const command = commands.find((one) => one.name === name)
  const others = commands.filter((one) => one !== command)
  const rows = formatRows(others.map((one) => [one.name, one.summary]))
  if (command === undefined) {
    return [`Usage: lading ${name} <command> [flags]`, '', 'Commands:', ...rows, '', flagsHint].join('\n')
  }
  return others.length === 0
    ? formatCommand(command)
    : [formatCommand(command), '', 'See also:', ...rows].join('\n')
}

const flagsHint = 'lading help <command> lists the flags of a command.'

function formatOverview(commands: readonly CommandRow[]): string {
  const lines = formatRows(commands.map(({ name, summary }) => [name, summary]))
  const rows = commands.map(({ group }, index) => ({ group, line: lines[index] ?? '' }))
  return [
    'lading: an OCI registry',
    '',
    'Usage: lading [command] [flags]; the default command is serve',
    ...[...groupCommands(rows)].flatMap(([group, all]) => ['', `${group}:`, ...all.map(({ line }) => line)]),
    '',
    'Common flags:',
    ...formatRows(commonOptions.map((option) => toRow(option))),
    '',
    `Exit code: ${describeExitCode({})}`,
    flagsHint,
  ].join('\n')
}

function formatCommand(command: Command): string {
  const args = describeArguments(command)
  const config = command.configurable ? listConfigOptions(command) : []
  const rest = command.configurable && command.hintsAtKeys === true ? ['', seeAllKeys] : []
  return [
    `Usage: ${formatUsage(command)} [flags]`,
    '',
    command.summary,
    ...(args.length === 0 ? [] : ['', 'Arguments:', ...formatRows(args)]),
    '',
    'Flags:',
    ...formatRows([...listOwnOptions(command), ...commonOptions, ...config].map((option) => toRow(option))),
    ...rest,
    '',
    `Exit code: ${describeExitCode(command)}`,
  ].join('\n')
}

const seeAllKeys = 'Also takes a flag for every other configuration key; lading help serve lists them.'

function listConfigOptions({ hintsAtKeys = false }: Command): readonly ShownOption[] {
  if (!hintsAtKeys) return configOptions
  return configOptions.filter(({ names }) => names.includes('--config') || names.includes('--data'))
}

function toRow(option: ShownOption): readonly [string, string] {
  return [formatOption(option), describeOption(option)]
}

function formatRows(rows: readonly (readonly [string, string])[]): string[] {
  return alignColumns(rows).map((line) => `  ${line}`)
}
