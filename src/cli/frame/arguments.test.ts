import { describe, expect, test } from 'vitest'
import { parseChoice, readArguments } from './arguments.ts'
import type { ArgumentForm } from './arguments.ts'

const form = {
  name: 'thing make',
  arguments: [{ name: '<name>' }],
  options: [
    { name: '--loud', type: 'switch', summary: 'x' },
    { name: '--size', type: 'number', value: '<n>', range: [1, 10], default: '2', summary: 'x' },
    { name: '--color', type: 'text', choices: ['red', 'green'], summary: 'x' },
    { name: '--days', type: 'list', value: '<days>', choices: ['mon', 'tue'], summary: 'x' },
  ],
  configurable: true,
} satisfies ArgumentForm

describe('readArguments', () => {
  test.each([
    ['a --loud --size 3 --data ./x'],
    ['--loud a --data ./x --size=3'],
    ['--data ./x a --size 3 --loud'],
    ['--size 3 --loud --data ./x a'],
  ])('finds words, flags and configuration in %j', (line) => {
    const args = readArguments(line.split(' '), form)
    expect(args.words).toEqual(['a'])
    expect(args.has('--loud')).toBe(true)
    expect(args.value('--size')).toBe('3')
    expect(args.rest).toEqual(['--data', './x'])
  })

  test('leaves the value of a configuration flag to the configuration', () => {
    expect(readArguments(['a', '--log.level', '--loud'], form).rest).toEqual(['--log.level'])
    expect(readArguments(['a', '--data=./x', '--loud'], form).rest).toEqual(['--data=./x'])
  })

  test('returns the declared default', () => {
    expect(readArguments(['a'], form).value('--size')).toBe('2')
    expect(readArguments(['a'], form).has('--size')).toBe(false)
    expect(readArguments(['a'], form).value('--color')).toBeUndefined()
  })

  test('refuses an unknown flag if the command reads no configuration', () => {
    const alone = { ...form, configurable: false }
    expect(() => readArguments(['a', '--lound'], alone)).toThrow('unknown flag --lound; did you mean --loud?')
  })

  test('refuses an argument that is not one of the choices', () => {
    const strict = { ...form, arguments: [{ name: '<name>', choices: ['a', 'b'] }] }
    expect(() => readArguments(['c'], strict)).toThrow('<name> must be one of a, b')
  })

  test.each([
    ['', '<name> is missing: lading thing make <name>'],
    ['a b', 'unexpected argument b: lading thing make <name>'],
    ['a --loud=yes', '--loud takes no value'],
    ['a --size', '--size needs a value: --size <n>'],
    ['a --size --loud', '--size needs a value: --size <n>'],
    ['a --size=', '--size needs a value: --size <n>'],
    ['a --size 11', '--size must be a number from 1 to 10, not 11'],
    ['a --size x', '--size must be a number from 1 to 10, not x'],
    ['a --color', '--color needs a value: --color red|green'],
    ['a --color gren', '--color must be one of red, green; did you mean green?'],
    ['a --days mon,wed', '--days must be one of mon, tue'],
  ])('refuses %j', (line, message) => {
    expect(() => readArguments(line.split(' ').filter(Boolean), form)).toThrow(message)
  })
})

describe('parseChoice', () => {
  test('accepts one of the choices and suggests the closest', () => {
    expect(parseChoice('--color', 'red', ['red', 'green'])).toBe('red')
    expect(() => parseChoice('--color', 'gren', ['red', 'green'])).toThrow(
      '--color must be one of red, green; did you mean green?',
    )
    expect(() => parseChoice('--color', undefined, ['red'])).toThrow('--color must be one of red')
  })
})
