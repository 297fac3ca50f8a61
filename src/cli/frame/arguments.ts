/** Reads the arguments and options that a command declares. Options of the configuration are left for `loadConfig`. */
import { findClosest } from '../../lib/closest.ts'
import { misuse } from './command.ts'
import type { Command, CommandOption } from './command.ts'

export interface Arguments {
  /** The arguments, in the order of the declared ones. */
  readonly words: readonly string[]
  has(option: string): boolean
  /** Returns the given value or the declared default. */
  value(option: string): string | undefined
  /** The options for `loadConfig`; empty for a command that takes no configuration. */
  readonly rest: readonly string[]
}

export type ArgumentForm = Pick<Command, 'name' | 'arguments' | 'options' | 'configurable'>

/** Throws `CliError` with exit code 2 if the command line does not match. */
export function readArguments(argv: readonly string[], form: ArgumentForm): Arguments {
  const { options = [] } = form
  const words: string[] = []
  const values = new Map<string, string>()
  const rest: string[] = []
  const queue = [...argv]
  for (let argument = queue.shift(); argument !== undefined; argument = queue.shift()) {
    const [name = '', ...inline] = argument.split('=')
    const option = options.find((candidate) => candidate.name === name)
    if (option !== undefined) values.set(name, takeValue(option, inline, queue))
    else if (!argument.startsWith('-')) words.push(argument)
    else {
      if (!form.configurable) throw misuse(describeUnknown(name, options))
      rest.push(argument)
      // An option of the configuration takes the next argument as its value, as in `loadConfig`.
      if (inline.length === 0 && queue[0]?.startsWith('--') === false) rest.push(queue.shift() ?? '')
    }
  }
  checkWords(words, form)
  const defaults = new Map(options.map((option) => [option.name, option.default]))
  return {
    words,
    rest,
    has: (name) => values.has(name),
    value: (name) => values.get(name) ?? defaults.get(name),
  }
}

function describeUnknown(name: string, options: readonly CommandOption[]): string {
  const names = options.map((option) => option.name)
  const closest = findClosest(name, names)
  return `unknown flag ${name}${closest === undefined ? '' : `; did you mean ${closest}?`}`
}

function takeValue(option: CommandOption, inline: readonly string[], queue: string[]): string {
  const { name, type } = option
  if (type === 'switch') {
    if (inline.length > 0) throw misuse(`${name} takes no value`)
    return ''
  }
  const value = inline.length > 0 ? inline.join('=') : queue.shift()
  if (value === undefined || value === '' || value.startsWith('--')) {
    throw misuse(`${name} needs a value: ${name} ${formatValue(option)}`)
  }
  checkValue(option, value)
  return value
}

function checkValue({ name, type, choices, range }: CommandOption, value: string): void {
  if (choices !== undefined) {
    const entries = type === 'list' ? value.split(',').map((entry) => entry.trim()) : [value]
    for (const entry of entries) parseChoice(name, entry, choices)
  }
  if (range === undefined) return
  const [min, max] = range
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= min && number <= max)) {
    throw misuse(`${name} must be a number from ${min} to ${max}, not ${value}`)
  }
}

/** Returns the placeholder for the value of an option: `<name>`, or its choices. */
export function formatValue({ value, type, choices = [] }: CommandOption): string {
  return value ?? (choices.length === 0 ? `<${type}>` : choices.join('|'))
}

function checkWords(words: readonly string[], { name, arguments: expected = [] }: ArgumentForm): void {
  const usage = ['lading', name, ...expected.map((one) => one.name)].join(' ')
  const missing = expected[words.length]
  if (missing !== undefined) throw misuse(`${missing.name} is missing: ${usage}`)
  const surplus = words[expected.length]
  if (surplus !== undefined) throw misuse(`unexpected argument ${surplus}: ${usage}`)
  for (const [index, { name: argument, choices }] of expected.entries()) {
    if (choices !== undefined) parseChoice(argument, words[index], choices)
  }
}

/** Returns the value if it is one of the choices. Otherwise throws a `CliError` that lists them. */
export function parseChoice<T extends string>(
  name: string,
  value: string | undefined,
  choices: readonly T[],
): T {
  const choice = choices.find((candidate) => candidate === value)
  if (choice !== undefined) return choice
  const closest = value === undefined ? undefined : findClosest(value, choices)
  const hint = closest === undefined ? '' : `; did you mean ${closest}?`
  throw misuse(`${name} must be one of ${choices.join(', ')}${hint}`)
}
