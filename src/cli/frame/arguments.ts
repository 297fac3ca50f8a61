/** Takes the words and the flags of a command off its line; what is left are flags of the configuration. */
import { findClosest } from '../../lib/closest.ts'
import { CliError, misused } from './command.ts'
import type { CommandFlag } from './command.ts'

export interface Arguments {
  /** In the order of `words`. */
  readonly words: readonly string[]
  has(flag: string): boolean
  value(flag: string): string | undefined
  /** For `loadConfig`. */
  readonly rest: readonly string[]
}

export interface ArgumentForm {
  readonly name: string
  /** What the words stand for: `<name>`; each must be there. */
  readonly words: readonly string[]
  readonly flags: readonly CommandFlag[]
}

/** Throws `CliError` with exit code 2. */
export function readArguments(argv: readonly string[], form: ArgumentForm): Arguments {
  const words: string[] = []
  const values = new Map<string, string>()
  const rest: string[] = []
  const queue = [...argv]
  for (let argument = queue.shift(); argument !== undefined; argument = queue.shift()) {
    const [name = '', ...inline] = argument.split('=')
    const flag = form.flags.find((candidate) => candidate.name === name)
    if (flag !== undefined) values.set(name, takeFlag(flag, inline, queue))
    else if (!argument.startsWith('-')) words.push(argument)
    else {
      rest.push(argument)
      // A flag of the configuration takes the next argument, as `loadConfig` reads it.
      if (inline.length === 0 && queue[0]?.startsWith('--') === false) rest.push(queue.shift() ?? '')
    }
  }
  checkWords(words, form)
  return { words, rest, has: (name) => values.has(name), value: (name) => values.get(name) }
}

function takeFlag(flag: CommandFlag, inline: readonly string[], queue: string[]): string {
  if (flag.value === undefined) {
    if (inline.length > 0) throw new CliError(`${flag.name} takes no value`, { exitCode: misused })
    return ''
  }
  const value = inline.length > 0 ? inline.join('=') : queue.shift()
  if (value === undefined || value === '' || value.startsWith('--')) {
    throw new CliError(`${flag.name} needs a value: ${flag.name} ${flag.value}`, { exitCode: misused })
  }
  return value
}

function checkWords(words: readonly string[], { name, words: expected }: ArgumentForm): void {
  const usage = ['lading', name, ...expected].join(' ')
  const missing = expected[words.length]
  if (missing !== undefined) throw new CliError(`${missing} is missing: ${usage}`, { exitCode: misused })
  const surplus = words[expected.length]
  if (surplus !== undefined)
    throw new CliError(`unexpected argument ${surplus}: ${usage}`, { exitCode: misused })
}

/** One of the values, or a `CliError` that lists them. */
export function parseChoice<T extends string>(
  flag: string,
  value: string | undefined,
  choices: readonly T[],
): T {
  const choice = choices.find((candidate) => candidate === value)
  if (choice !== undefined) return choice
  const closest = value === undefined ? undefined : findClosest(value, choices)
  const hint = closest === undefined ? '' : `; did you mean ${closest}?`
  throw new CliError(`${flag} must be one of ${choices.join(', ')}${hint}`, { exitCode: misused })
}
