/** The manual page `man/lading.1`, generated from the table of commands. */
import type { CommandRow } from '../frame/command.ts'
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

/** Returns the page in roff, with the macros of man(7). */
export function formatManPage(commands: readonly CommandRow[]): string {
  const groups = [...groupCommands(commands)].flatMap(([group, rows]) => [
    `.SS ${quote(group)}`,
    ...rows.flatMap((row) => formatCommand(row)),
  ])
  const lines = [
    '.\\" Generated from src/cli/commands.ts by npm run docs.',
    '.TH LADING 1 "" Lading "Lading manual"',
    '.SH NAME',
    'lading \\- an OCI container registry',
    '.SH SYNOPSIS',
    '.B lading',
    '[\\fIcommand\\fR] [\\fIflags\\fR]',
    '.SH DESCRIPTION',
    'Lading stores and serves container images and other OCI artifacts.',
    'Without a command, it runs serve. The other commands work directly on the configured database, with or without a running server.',
    '.SH COMMANDS',
    ...groups,
    '.SH COMMON FLAGS',
    ...commonOptions.flatMap((option) => formatEntry(option)),
    '.SH CONFIGURATION FLAGS',
    'The commands that read the configuration take these flags.',
    ...configOptions.flatMap((option) => formatEntry(option)),
    '.SH EXIT STATUS',
    escape(`${describeExitCode({})}.`),
    '.SH ENVIRONMENT',
    escape('Every configuration key has a variable: LADING_HTTP_PORT sets http.port.'),
    '.SH FILES',
    '.TP',
    '.I ./lading.yaml',
    escape('The configuration file, unless --config names another.'),
  ]
  return `${lines.join('\n')}\n`
}

function formatCommand(command: CommandRow): string[] {
  const { summary, failsIf } = command
  const entries = listOwnOptions(command).flatMap((option) => formatEntry(option))
  return [
    '.TP',
    `.B ${escape(formatUsage(command))}`,
    escape(summary),
    ...(failsIf === undefined ? [] : [escape(`The exit code is 1 if ${failsIf}.`)]),
    ...describeArguments(command).map(([name, text]) => escape(`${name}: ${text}`)),
    ...(entries.length === 0 ? [] : ['.RS', ...entries, '.RE']),
  ]
}

function formatEntry(option: ShownOption): string[] {
  return ['.TP', `.B ${escape(formatOption(option))}`, escape(describeOption(option))]
}

/** Escapes a line of text for roff: no character is markup, except that back quotes become bold. */
function escape(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq')
  const bold = plain.replaceAll(/`([^`]*)`/g, String.raw`\fB$1\fR`)
  return bold.startsWith('.') ? `\\&${bold}` : bold
}

function quote(text: string): string {
  return `"${escape(text).replaceAll('"', '\\(dq')}"`
}
