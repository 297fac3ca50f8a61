/** `lading completion bash|zsh|fish`: prints a script that completes commands, options and their values. */
import { parseChoice, readArguments } from '../../frame/arguments.ts'
import type { Command, CommandRow } from '../../frame/command.ts'
import { createOutput } from '../../frame/output.ts'
import { formatBashCompletion } from './bash.ts'
import { formatFishCompletion } from './fish.ts'
import { createCompletionModel } from './model.ts'
import { formatZshCompletion } from './zsh.ts'

const formats = { bash: formatBashCompletion, zsh: formatZshCompletion, fish: formatFishCompletion }
type Shell = keyof typeof formats
const shells = Object.keys(formats) as Shell[]

export function createCompletionCommand(listCommands: () => readonly CommandRow[]): Command {
  const row = {
    name: 'completion',
    summary: 'Print a completion script for a shell. Save it where the shell looks for completions.',
    arguments: [{ name: '<shell>', choices: shells }],
    configurable: false,
    jsonShape: '{"shell": string, "script": string}',
  }
  return {
    ...row,
    run: async ({ argv, json, host }) => {
      const { words } = readArguments(argv, row)
      const shell = parseChoice('<shell>', words[0], shells)
      const script = formats[shell](createCompletionModel(listCommands()))
      createOutput(host, json).print({ shell, script }, script.trimEnd())
      return 0
    },
  }
}
