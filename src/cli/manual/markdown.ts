/** The manual `docs/cli.md`, from the table of commands. */
import type { CommandRow } from '../frame/command.ts'
import {
  describeArguments,
  describeOption,
  formatOption,
  formatUsage,
  groupCommands,
  listOwnOptions,
} from './options.ts'

/** Returns the whole page. */
export function describeCommands(commands: readonly CommandRow[]): string {
  const groups = [...groupCommands(commands)].map(
    ([group, rows]) => `## ${group}\n\n${rows.map((row) => describeCommand(row)).join('\n')}`,
  )
  return `${introduction}\n${groups.join('\n')}`
}

function describeCommand(command: CommandRow): string {
  const items = [
    ...describeArguments(command),
    ...listOwnOptions(command).map((option) => [formatOption(option), describeOption(option)] as const),
  ].map(([name, text]) => `- \`${name}\`: ${text}\n`)
  const parts = [
    `### \`${formatUsage(command)}\`\n`,
    `${command.summary}\n`,
    ...(items.length === 0 ? [] : [items.join('')]),
    ...(command.configurable
      ? ['Takes a flag for every key of [configuration.md](configuration.md).\n']
      : []),
    ...(command.failsIf === undefined ? [] : [`The exit code is 1 if ${command.failsIf}.\n`]),
    `With \`--json\`: \`${command.jsonShape}\`\n`,
  ]
  return parts.join('\n')
}

const introduction = `# Commands

<!-- Generated from src/cli/commands.ts by \`npm run docs\`. -->

\`lading\` without a command is \`lading serve\`. Every command takes \`--json\` and \`--help\`; \`lading help user\` lists the commands of a group.
Results go to standard output, notices and faults to standard error. Fields in JSON have the names of the [management API](management-api.md);
a field without a value is absent. With \`--json\` a fault is \`{"error": {"message": string, "faults"?: string[]}}\` on standard error.

| exit code | meaning |
|---|---|
| 0 | success, also when the reader of the output, such as \`head\`, ends first |
| 1 | failure; or a command that checks something (\`access explain\`, \`backup verify\`, \`doctor\`, \`config check\`) answers no |
| 2 | the command line is wrong: an unknown command or flag, a missing argument, a value that is not allowed |

Commands that change users, repositories, tokens and keys work on the database that the configuration names, whether a server
runs or not; a server applies the change within a second. Give them the same configuration as the server, \`--data\` above all.
A password is never an argument: it comes from standard input, from a generator, or from a question at the terminal.

Tab completion for bash, zsh and fish:

\`\`\`console
$ lading completion bash > ~/.local/share/bash-completion/completions/lading
$ lading completion zsh > ~/.zfunc/_lading        # a folder in $fpath
$ lading completion fish > ~/.config/fish/completions/lading.fish
\`\`\`

\`npm install --global\` also installs the manual page: \`man lading\`.
`
