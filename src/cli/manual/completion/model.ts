/** The table of commands in the form that shell completion needs. */
import type { Command } from '../../frame/command.ts'
import { commonOptions, configOptions, listOwnOptions } from '../options.ts'
import type { ShownOption } from '../options.ts'

export interface NextWord {
  readonly word: string
  /** The first sentence of the summary. */
  readonly summary: string
}

export interface CompletedOption extends Omit<ShownOption, 'summary' | 'default'> {
  readonly summary: string
}

export interface CompletedCommand {
  readonly name: string
  readonly options: readonly CompletedOption[]
  readonly isConfigurable: boolean
  /** The choices of each argument, or `files` for file names. */
  readonly arguments: readonly (readonly string[] | 'files')[]
}

export interface CompletionModel {
  /** The words that may follow the first words of a command. The key `''` is the start of the line. */
  readonly next: ReadonlyMap<string, readonly NextWord[]>
  readonly commands: readonly CompletedCommand[]
  /** The options of every command that reads the configuration. */
  readonly configOptions: readonly CompletedOption[]
  /** The options of all commands that take no value. Every other option takes the next word as its value. */
  readonly switches: readonly string[]
}

export function createCompletionModel(commands: readonly Command[]): CompletionModel {
  const completed = commands.map((command) => ({
    name: command.name,
    options: [...listOwnOptions(command), ...commonOptions].map((option) => shorten(option)),
    isConfigurable: command.configurable,
    arguments: (command.arguments ?? []).map(({ isPath = false, choices = [] }) =>
      isPath ? ('files' as const) : choices,
    ),
  }))
  const switches = completed.flatMap(({ options }) => options.filter(({ value }) => value === undefined))
  return {
    next: listNextWords(commands),
    commands: completed,
    configOptions: configOptions.map((option) => shorten(option)),
    switches: [...new Set(switches.flatMap(({ names }) => names))],
  }
}

function listNextWords(commands: readonly Command[]): ReadonlyMap<string, readonly NextWord[]> {
  const next = new Map<string, Map<string, string>>([['', new Map()]])
  for (const { name, summary } of commands) {
    const words = name.split(' ')
    for (const [index, word] of words.entries()) {
      const before = words.slice(0, index).join(' ')
      const known = next.get(before) ?? new Map<string, string>()
      next.set(before, known)
      if (index === words.length - 1) known.set(word, firstSentence(summary))
      else if (!known.has(word)) known.set(word, `Commands for: ${word}`)
    }
  }
  return new Map(
    [...next].map(([before, words]) => [before, [...words].map(([word, summary]) => ({ word, summary }))]),
  )
}

function shorten(option: ShownOption): CompletedOption {
  return { ...option, summary: firstSentence(option.summary) }
}

function firstSentence(text: string): string {
  return /^.*?[^.\d](?=[.;:] |\.$|$)/.exec(text.replaceAll('`', ''))?.[0] ?? text
}

/** Puts a word in single quotes for a POSIX shell. */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
