/** The options of a command in help, manual, man page and completion: its own, the common and the configuration options. */
import { formatDefault } from '../../config/format-default.ts'
import { configKeys } from '../../config/keys.ts'
import type { ConfigKey } from '../../config/keys.ts'
import { formatValue } from '../frame/arguments.ts'
import type { Command } from '../frame/command.ts'

export interface ShownOption {
  /** All spellings of the option: `--http.port`, `--port`. */
  readonly names: readonly string[]
  readonly summary: string
  /** The placeholder for the value. Absent for a switch. */
  readonly value?: string
  readonly choices: readonly string[]
  readonly isList: boolean
  /** Whether a shell completes the value with file names. */
  readonly isPath?: boolean
  readonly default?: string
}

/** The configuration keys that name a file or a folder. In the schema they are plain strings. */
const pathKeys = new Set(['data', 'http.tls.cert', 'http.tls.key'])
const booleans = ['true', 'false']
const valueless = { choices: [], isList: false }

/** The options of every command. */
export const commonOptions: readonly ShownOption[] = [
  { ...valueless, names: ['--json'], summary: 'Print the result, or the error, as JSON.' },
  { ...valueless, names: ['--help', '-h'], summary: 'Print help for the command instead of running it.' },
]

/** The options of every command that reads the configuration. */
export const configOptions: readonly ShownOption[] = [
  {
    ...valueless,
    names: ['--config'],
    value: '<file>',
    isPath: true,
    summary: 'Read this file instead of ./lading.yaml.',
  },
  ...configKeys.map((key) => toOption(key)),
]

function toOption(key: ConfigKey): ShownOption {
  const fallback = formatDefault(key)
  const isBoolean = key.kind === 'boolean'
  return {
    names: key.flags,
    value: isBoolean ? booleans.join('|') : `<${key.kind}>`,
    summary: key.description,
    choices: isBoolean ? booleans : key.choices,
    isList: key.kind === 'list',
    isPath: pathKeys.has(key.path),
    ...(fallback !== undefined && { default: fallback }),
  }
}

/** Returns the options of this command alone. */
export function listOwnOptions({ options = [] }: Command): readonly ShownOption[] {
  return options.map((option) => ({
    names: [option.name],
    summary: option.summary,
    ...(option.type !== 'switch' && { value: formatValue(option) }),
    choices: option.choices ?? [],
    isList: option.type === 'list',
    ...(option.default !== undefined && { default: option.default }),
  }))
}

/** Returns the spellings and the placeholder: `--http.port, --port <value>`. */
export function formatOption({ names, value }: ShownOption): string {
  return value === undefined ? names.join(', ') : `${names.join(', ')} ${value}`
}

/** Returns the summary with choices and default: `The level. One of debug, info. Default: info.` */
export function describeOption({ summary, value, choices, isList, default: fallback }: ShownOption): string {
  const isShown = choices.length === 0 || value === choices.join('|')
  const list = isList
    ? `One or more of ${choices.join(', ')}, separated by commas.`
    : `One of ${choices.join(', ')}.`
  return [
    summary,
    ...(isShown ? [] : [list]),
    ...(fallback === undefined || fallback === '' ? [] : [`Default: ${fallback}.`]),
  ].join(' ')
}

/** Returns the command with its arguments: `lading user add <name>`. */
export function formatUsage({ name, arguments: expected = [] }: Command): string {
  return ['lading', name, ...expected.map((argument) => argument.name)].join(' ')
}

/** Returns each argument that has choices, with a text that lists them. */
export function describeArguments({ arguments: expected = [] }: Command): (readonly [string, string])[] {
  return expected.flatMap(({ name, choices }) =>
    choices === undefined ? [] : [[name, `One of ${choices.join(', ')}.`] as const],
  )
}

/** Returns the meaning of each exit code: `0 on success, 1 on failure or if the access is refused, 2 if ...`. */
export function describeExitCode({ failsIf }: Pick<Command, 'failsIf'>): string {
  const refused = failsIf === undefined ? '' : ` or if ${failsIf}`
  return `0 on success, 1 on failure${refused}, 2 if the command line is wrong`
}

/** Groups rows by their heading, in the order of the table. */
export function groupCommands<Row extends { readonly group: string }>(
  commands: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  return Map.groupBy(commands, ({ group }) => group)
}
