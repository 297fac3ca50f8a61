import { describe, expect, test } from 'vitest'
import { parseChoice, readArguments } from './arguments.ts'

const form = {
  name: 'thing make',
  words: ['<name>'],
  flags: [
    { name: '--loud', summary: 'x' },
    { name: '--size', value: '<n>', summary: 'x' },
  ],
}

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

  test.each([
    ['', '<name> is missing: lading thing make <name>'],
    ['a b', 'unexpected argument b: lading thing make <name>'],
    ['a --loud=yes', '--loud takes no value'],
    ['a --size', '--size needs a value: --size <n>'],
    ['a --size --loud', '--size needs a value: --size <n>'],
    ['a --size=', '--size needs a value: --size <n>'],
  ])('refuses %j', (line, message) => {
    expect(() => readArguments(line.split(' ').filter(Boolean), form)).toThrow(message)
  })
})

describe('parseChoice', () => {
  test('takes one of the choices and suggests the closest', () => {
    expect(parseChoice('--color', 'red', ['red', 'green'])).toBe('red')
    expect(() => parseChoice('--color', 'gren', ['red', 'green'])).toThrow(
      '--color must be one of red, green; did you mean green?',
    )
    expect(() => parseChoice('--color', undefined, ['red'])).toThrow('--color must be one of red')
  })
})
