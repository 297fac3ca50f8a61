/** The manual `docs/cli.md`, generated from the table of commands. */
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
      ? ['This command accepts a flag for every key of [configuration.md](configuration.md).\n']
      : []),
    ...(command.failsIf === undefined ? [] : [`The exit code is 1 if ${command.failsIf}.\n`]),
    `With \`--json\`: \`${command.jsonShape}\`\n`,
  ]
  return parts.join('\n')
}

const introduction = `# Commands

<!-- Generated from src/cli/commands.ts by \`npm run docs\`. -->

\`lading\` without a command runs \`lading serve\`. Every command takes \`--json\` and \`--help\`; \`lading help user\` lists the commands of a group.
Results go to standard output, notices and errors to standard error. JSON fields have the names of the [management API](management-api.md);
a field without a value is absent. With \`--json\`, an error is \`{"error": {"message": string, "faults"?: string[]}}\` on standard error.

| exit code | meaning |
|---|---|
| 0 | success, even if the reader of the output, such as \`head\`, stops early |
| 1 | failure, or a negative result of a command that checks something (\`access explain\`, \`backup verify\`, \`doctor\`, \`config check\`) |
| 2 | the command line is wrong: an unknown command or flag, a missing argument, a value that is not allowed |

Commands that change users, repositories, tokens and keys work directly on the configured database, with or without a running
server. A running server applies the change within a second. Give these commands the same configuration as the server, especially
\`--data\`. A password is never an argument: it is read from standard input, generated, or typed at the terminal.

Tab completion for bash, zsh and fish:

\`\`\`console
$ lading completion bash > ~/.local/share/bash-completion/completions/lading
$ lading completion zsh > ~/.zfunc/_lading        # a folder in $fpath
$ lading completion fish > ~/.config/fish/completions/lading.fish
\`\`\`

\`npm install --global\` also installs the manual page: \`man lading\`.
`
